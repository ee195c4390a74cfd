/* Stands for powershell.exe under wine, which has none: writes down its command line and what install.cmd hands it by
   environment; the exit code is FAKE_CODE. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  const char *code = getenv("FAKE_CODE");
  FILE *out = fopen(getenv("FAKE_LOG"), "a");
  fprintf(out, "LINE %s\nURL %s\nSHA256 %s\n", GetCommandLineA(), getenv("GO_WIN_TOOLS_URL"), getenv("GO_WIN_TOOLS_SHA256"));
  fprintf(out, "MODULES %s\n", getenv("PSModulePath") == NULL ? "none" : getenv("PSModulePath"));
  fclose(out);
  ExitProcess(code == NULL ? 0 : (UINT)strtoul(code, NULL, 0));
}

/* Stands for powershell.exe under wine, which has none: writes down its command line and what install.cmd hands it by
   environment; with -Command it "downloads" the file; the exit code is FAKE_COMMAND_CODE or FAKE_FILE_CODE. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  const char *line = GetCommandLineA(), *log = getenv("FAKE_LOG"), *code;
  FILE *out = fopen(log, "a");
  int isCommand = strstr(line, " -Command ") != NULL;
  fprintf(out, "LINE %s\nURL %s\nSHA256 %s\nFILE %s\n", line, getenv("GO_WIN_TOOLS_URL"), getenv("GO_WIN_TOOLS_SHA256"),
          getenv("GO_WIN_TOOLS_FILE"));
  fprintf(out, "MODULES %s\n", getenv("PSModulePath") == NULL ? "none" : getenv("PSModulePath"));
  fclose(out);
  if (isCommand) fclose(fopen(getenv("GO_WIN_TOOLS_FILE"), "w"));
  code = getenv(isCommand ? "FAKE_COMMAND_CODE" : "FAKE_FILE_CODE");
  ExitProcess(code == NULL ? 0 : (UINT)strtoul(code, NULL, 0));
}

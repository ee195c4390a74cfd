/* Stands for powershell.exe under wine, which has none: writes down its command line and what install.cmd hands it by
   environment; the exit code is FAKE_CODE. With FAKE_BRIDGE, a folder, it leaves its words there as `request`, a line each, and
   waits for `response`: the exit code in the first line, then what it prints. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *in_bridge(const char *name, const char *mode) {
  char path[MAX_PATH];
  snprintf(path, sizeof path, "%s\\%s", getenv("FAKE_BRIDGE"), name);
  return fopen(path, mode);
}

static UINT cross(int argc, char **argv) {
  char line[4096];
  int code = 1, i;
  FILE *file = in_bridge("request.part", "w");
  char from[MAX_PATH], to[MAX_PATH];
  fprintf(file, "%s\n%s\n", getenv("GO_WIN_TOOLS_URL"), getenv("GO_WIN_TOOLS_SHA256"));
  for (i = 1; i < argc; i++) fprintf(file, "%s\n", argv[i]);
  fclose(file);
  snprintf(from, sizeof from, "%s\\request.part", getenv("FAKE_BRIDGE"));
  snprintf(to, sizeof to, "%s\\request", getenv("FAKE_BRIDGE"));
  MoveFileA(from, to);
  while ((file = in_bridge("response", "r")) == NULL) Sleep(50);
  if (fgets(line, sizeof line, file) != NULL) code = atoi(line);
  while (fgets(line, sizeof line, file) != NULL) fputs(line, stdout);
  fclose(file);
  return (UINT)code;
}

int main(int argc, char **argv) {
  const char *code = getenv("FAKE_CODE");
  FILE *out = fopen(getenv("FAKE_LOG"), "a");
  fprintf(out, "LINE %s\nURL %s\nSHA256 %s\n", GetCommandLineA(), getenv("GO_WIN_TOOLS_URL"), getenv("GO_WIN_TOOLS_SHA256"));
  fprintf(out, "MODULES %s\n", getenv("PSModulePath") == NULL ? "none" : getenv("PSModulePath"));
  fclose(out);
  if (getenv("FAKE_BRIDGE") != NULL) {
    UINT result = cross(argc, argv);
    fflush(stdout);
    ExitProcess(result);
  }
  ExitProcess(code == NULL ? 0 : (UINT)strtoul(code, NULL, 0));
}

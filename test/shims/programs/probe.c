/*
 * Stands in for a tool: prints how it was called, or does as PROBE_* says. PROBE_CAT copies stdin to stdout, PROBE_WAIT writes
 * its process id to that file and waits until somebody ends it, PROBE_EXIT is its exit code. PROBE_START starts another one
 * with that file as its PROBE_WAIT, and PROBE_FLAGS as the flags of CreateProcess.
 * Built with: x86_64-w64-mingw32-gcc -municode -o probe.exe probe.c -lshell32
 */
#include <windows.h>
#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *key, const wchar_t *value)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, value, -1, NULL, 0, NULL, NULL);
    char *text = malloc(size);
    WideCharToMultiByte(CP_UTF8, 0, value, -1, text, size, NULL, NULL);
    printf("%s=%s\n", key, text);
    free(text);
}

static BOOL WINAPI onControl(DWORD event)
{
    printf("control=%lu\n", event);
    fflush(stdout);
    ExitProcess(77);
    return TRUE;
}

static void startAnother(const wchar_t *self, const wchar_t *waitFile)
{
    wchar_t line[1024], *own = _wgetenv(L"PROBE_WAIT"), *flags = _wgetenv(L"PROBE_FLAGS");
    STARTUPINFOW startup = {sizeof startup};
    PROCESS_INFORMATION process;
    swprintf(line, 1024, L"\"%ls\"", self);
    SetEnvironmentVariableW(L"PROBE_START", NULL);
    SetEnvironmentVariableW(L"PROBE_WAIT", waitFile);
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, flags == NULL ? 0 : wcstoul(flags, NULL, 0), NULL, NULL, &startup, &process))
        ExitProcess(98);
    SetEnvironmentVariableW(L"PROBE_WAIT", own);
}

int wmain(void)
{
    int count;
    wchar_t self[32768], *exitCode = _wgetenv(L"PROBE_EXIT"), *waitFile = _wgetenv(L"PROBE_WAIT"), *startFile = _wgetenv(L"PROBE_START");
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    GetModuleFileNameW(NULL, self, 32768);
    if (startFile != NULL)
        startAnother(self, startFile);
    if (waitFile != NULL) {
        SetConsoleCtrlHandler(onControl, TRUE);
        FILE *file = _wfopen(waitFile, L"wb");
        fprintf(file, "%lu\n", GetCurrentProcessId());
        fclose(file);
        Sleep(60000);
        return 99;
    }
    if (_wgetenv(L"PROBE_CAT") != NULL) {
        char bytes[65536];
        size_t got;
        while ((got = fread(bytes, 1, sizeof bytes, stdin)) > 0)
            fwrite(bytes, 1, got, stdout);
    } else {
        wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &count);
        say("exe", self);
        say("line", GetCommandLineW());
        for (int at = 1; at < count; at++)
            say("arg", words[at]);
        wchar_t *block = GetEnvironmentStringsW();
        for (wchar_t *entry = block; *entry != 0; entry += wcslen(entry) + 1)
            if (entry[0] != L'=')
                say("env", entry);
    }
    fflush(stdout);
    return exitCode == NULL ? 0 : (int)wcstoul(exitCode, NULL, 0);
}

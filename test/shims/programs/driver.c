/*
 * Runs many cases in one start of wine, each by CreateProcess without a shell, and writes NAME.out, NAME.err and NAME.code
 * (32 bits, which wine itself cuts to 8). The file of cases is UTF-8, a word and its value a line:
 *   case NAME         begins one
 *   env NAME=VALUE    the environment, beside what Windows needs
 *   in FILE           stdin
 *   kill FILE...      as soon as each FILE holds a process id: ends what was started, and tells in NAME.code which of those ended, too
 *   interrupt FILE... the same with Ctrl-C instead of an end by force
 *   leave FILE...     the same after what was started has ended by itself
 *   run LINE          the command line, as it is
 * Built with: x86_64-w64-mingw32-gcc -municode -o driver.exe driver.c
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static wchar_t name[256], input[1024], how[16], files[1024], line[65536], environment[65536];
static size_t environmentEnd;

static void addEnvironment(const wchar_t *entry)
{
    wcscpy(environment + environmentEnd, entry);
    environmentEnd += wcslen(entry) + 1;
    environment[environmentEnd] = 0;
}

static void copyEnvironment(const wchar_t *key)
{
    wchar_t entry[2048];
    const wchar_t *value = _wgetenv(key);
    if (value != NULL) {
        swprintf(entry, 2048, L"%ls=%ls", key, value);
        addEnvironment(entry);
    }
}

static HANDLE open(const wchar_t *suffix, DWORD access, DWORD how)
{
    wchar_t path[512];
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    if (suffix == NULL)
        wcscpy(path, input[0] == 0 ? L"NUL" : input);
    else
        swprintf(path, 512, L"%ls.%ls", name, suffix);
    return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, how, 0, NULL);
}

static HANDLE waitForOther(const wchar_t *waitFile)
{
    for (int tries = 0; tries < 300; tries++) {
        unsigned long id = 0;
        FILE *file = _wfopen(waitFile, L"rb");
        if (file != NULL) {
            int count = fscanf(file, "%lu\n", &id);
            fclose(file);
            if (count == 1)
                return OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, id);
        }
        Sleep(100);
    }
    return NULL;
}

/* Ends the process as `how` says, and writes what became of those it had started. */
static void endFamily(PROCESS_INFORMATION process, wchar_t *after)
{
    HANDLE others[4];
    int count = 0;
    for (wchar_t *file = wcstok(files, L" "); file != NULL; file = wcstok(NULL, L" "))
        others[count++] = waitForOther(file);
    if (wcscmp(how, L"leave") == 0)
        WaitForSingleObject(process.hProcess, 60000);
    else if (wcscmp(how, L"kill") == 0)
        TerminateProcess(process.hProcess, 5);
    else if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) {
        wcscpy(after, L" no console");
        TerminateProcess(process.hProcess, 5);
    }
    for (int at = 0; at < count; at++) {
        wcscat(after, WaitForSingleObject(others[at], 3000) == WAIT_OBJECT_0 ? L" ended" : L" lives");
        TerminateProcess(others[at], 6);
    }
}

/* Ctrl-C is for all on a console: for us, too. */
static BOOL WINAPI goOn(DWORD event)
{
    return event == CTRL_C_EVENT;
}

static void runCase(void)
{
    wchar_t path[512], after[256] = L"";
    STARTUPINFOW startup = {sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = open(NULL, GENERIC_READ, OPEN_EXISTING);
    startup.hStdOutput = open(L"out", GENERIC_WRITE, CREATE_ALWAYS);
    startup.hStdError = open(L"err", GENERIC_WRITE, CREATE_ALWAYS);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_UNICODE_ENVIRONMENT, environment, NULL, &startup, &process)) {
        code = GetLastError();
        wcscpy(after, L" not started");
    } else {
        if (how[0] != 0)
            endFamily(process, after);
        WaitForSingleObject(process.hProcess, 60000);
        GetExitCodeProcess(process.hProcess, &code);
    }
    CloseHandle(startup.hStdInput);
    CloseHandle(startup.hStdOutput);
    CloseHandle(startup.hStdError);
    swprintf(path, 512, L"%ls.code", name);
    FILE *file = _wfopen(path, L"wb");
    fprintf(file, "%lu%ls\n", code, after);
    fclose(file);
}

int wmain(int count, wchar_t **words)
{
    static char bytes[262144];
    static wchar_t text[131072];
    SetConsoleCtrlHandler(goOn, TRUE);
    FILE *file = _wfopen(words[count - 1], L"rb");
    while (fgets(bytes, sizeof bytes, file) != NULL) {
        bytes[strcspn(bytes, "\n")] = 0;
        MultiByteToWideChar(CP_UTF8, 0, bytes, -1, text, 131072);
        wchar_t *value = wcschr(text, L' ');
        *value++ = 0;
        if (wcscmp(text, L"case") == 0) {
            wcscpy(name, value);
            environmentEnd = 0;
            input[0] = how[0] = 0;
            copyEnvironment(L"SystemRoot");
            copyEnvironment(L"ComSpec");
            copyEnvironment(L"PATHEXT");
        } else if (wcscmp(text, L"env") == 0) {
            addEnvironment(value);
        } else if (wcscmp(text, L"in") == 0) {
            wcscpy(input, value);
        } else if (wcscmp(text, L"run") == 0) {
            wcscpy(line, value);
            runCase();
        } else {
            wcscpy(how, text);
            wcscpy(files, value);
        }
    }
    return 0;
}

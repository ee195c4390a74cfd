/*
 * Times the start of a program directly and through a shim, in turn: PAIRS lines of two numbers, in microseconds. Without
 * arguments it is the program to be started. Built with: x86_64-w64-mingw32-gcc -municode -o pairs.exe launcher-pairs.c
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static long long timeOf(const wchar_t *exe)
{
    wchar_t line[1024];
    LARGE_INTEGER begin, end, frequency;
    STARTUPINFOW startup = {sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 1;
    swprintf(line, 1024, L"\"%ls\"", exe);
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&begin);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        exit(1);
    WaitForSingleObject(process.hProcess, INFINITE);
    QueryPerformanceCounter(&end);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
    if (code != 0)
        exit(2);
    return (end.QuadPart - begin.QuadPart) * 1000000 / frequency.QuadPart;
}

int wmain(int count, wchar_t **words)
{
    if (count < 4)
        return 0;
    for (int pair = _wtoi(words[1]); pair > 0; pair--) {
        long long direct = timeOf(words[2]);
        printf("%lld %lld\n", direct, timeOf(words[3]));
    }
    return 0;
}

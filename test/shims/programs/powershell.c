/*
 * Stands in for PowerShell, which wine has not: says of GO_WIN_TOOLS_FILE whether it or a folder around it has NAME.open beside it.
 * Built with: x86_64-w64-mingw32-gcc -municode -o powershell.exe powershell.c
 */
#include <windows.h>
#include <stdio.h>

int wmain(void)
{
    wchar_t place[1024], mark[1040], *end;
    GetEnvironmentVariableW(L"GO_WIN_TOOLS_FILE", place, 1024);
    do {
        swprintf(mark, 1040, L"%ls.open", place);
        if (GetFileAttributesW(mark) != INVALID_FILE_ATTRIBUTES) {
            wprintf(L"%ls can be changed by all\n", place);
            return 1;
        }
        end = wcsrchr(place, L'\\');
        if (end != NULL)
            *end = 0;
    } while (end != NULL);
    return 0;
}

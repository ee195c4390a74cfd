module git-for-wine

go 1.21

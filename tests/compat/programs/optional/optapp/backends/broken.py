import not_installed_anywhere

X = not_installed_anywhere.X

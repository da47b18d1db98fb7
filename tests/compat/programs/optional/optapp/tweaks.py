import optapp

optapp.late = "tweaked"

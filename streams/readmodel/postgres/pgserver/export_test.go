package pgserver

// FindIn is Find where the versions are installed elsewhere.
var FindIn = find

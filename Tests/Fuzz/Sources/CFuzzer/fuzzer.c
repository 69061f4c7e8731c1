// A target of C needs a file; what the header declares is in the runtime of the sanitizers.

/* The option parser of lazyctl, whose names are also those of lazyd's. */
#ifndef TESTS_FUZZ_LAZYCTL_WORDS_H
#define TESTS_FUZZ_LAZYCTL_WORDS_H

/* Parse ARGV as lazyctl does; of a request that it would send, the server's
 * reader must understand every word. */
void lazyctl_words(int argc, char **argv);

#endif

/* A reload rehearsed: all of it, in a forked copy of the service.
 *
 * The copy reads, runs and publishes as the service would, so its answer is
 * complete: verdict, what could not be kept or repaired, the pause. Nothing
 * of it is done here. Needs the GIL.
 */
#ifndef LAZYCORE_REHEARSE_RELOAD_H
#define LAZYCORE_REHEARSE_RELOAD_H

#include "lazycore/lazycore.h"
#include "lazycore/rehearse.h"

/* Of SETUP the body and its argument are not looked at. The verdict is
 * inconclusive where the copy did not come to its end by itself. 0 with both
 * results, or -1 with ERROR. */
int lazycore_rehearse_reload(const struct lz_rehearsal *setup,
                             const char *name,
                             const struct lz_reload_options *options,
                             struct lz_reload_result *ret_result,
                             struct lz_rehearsal_outcome *ret_outcome,
                             struct lz_error *error) LZ_NEEDS_GIL;

#endif

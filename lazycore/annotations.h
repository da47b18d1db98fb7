/* Thread roles, stated on declarations and checked by clang -Wthread-safety.
 *
 * A role is a capability that a thread holds: the GIL, or being the control
 * loop's thread. The macros are empty for gcc. Locks are types, so that a
 * field can say which lock guards it. Plain C; shared by lazycore and daemon.
 */
#ifndef LAZYCORE_ANNOTATIONS_H
#define LAZYCORE_ANNOTATIONS_H

#include <pthread.h>

#if defined(__clang__)
#define LZ_ATTRIBUTE(x) __attribute__((x))
#else
#define LZ_ATTRIBUTE(x)
#endif

#define LZ_CAPABILITY(name) LZ_ATTRIBUTE(capability(name))
#define LZ_REQUIRES(...) LZ_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define LZ_ACQUIRE(...) LZ_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define LZ_RELEASE(...) LZ_ATTRIBUTE(release_capability(__VA_ARGS__))
#define LZ_EXCLUDES(...) LZ_ATTRIBUTE(locks_excluded(__VA_ARGS__))
/* LZ_GUARDED_BY names a lock of file scope. C compilers cannot name a sibling
 * member there; a field guarded by its own struct's lock is LZ_GUARDED. */
#define LZ_GUARDED_BY(x) LZ_ATTRIBUTE(guarded_by(x))
#define LZ_GUARDED LZ_ATTRIBUTE(guarded_var)
#define LZ_ASSERT(x) LZ_ATTRIBUTE(assert_capability(x))
#define LZ_UNCHECKED LZ_ATTRIBUTE(no_thread_safety_analysis)

struct LZ_CAPABILITY("role") lz_role {
    char unused;
};

/* Never read or written: they name the roles for the checker. */
extern struct lz_role lz_gil;
extern struct lz_role lz_loop;

#define LZ_NEEDS_GIL LZ_REQUIRES(lz_gil)
#define LZ_EXCLUDES_GIL LZ_EXCLUDES(lz_gil)
#define LZ_LOOP_ONLY LZ_REQUIRES(lz_loop)

/* Says to the checker what CPython guarantees: a function that Python called
 * holds the GIL. */
static inline void lz_called_by_python(void) LZ_ASSERT(lz_gil);
static inline void
lz_called_by_python(void)
{
}

/* A pthread mutex that the checker knows. Never held while Python runs. */
struct LZ_CAPABILITY("mutex") lz_mutex {
    pthread_mutex_t raw;
};

static inline void
lz_mutex_init(struct lz_mutex *mutex)
{
    (void)pthread_mutex_init(&mutex->raw, NULL);
}

static inline void
lz_mutex_done(struct lz_mutex *mutex)
{
    (void)pthread_mutex_destroy(&mutex->raw);
}

static inline void lz_mutex_lock(struct lz_mutex *mutex) LZ_ACQUIRE(*mutex);
static inline void lz_mutex_unlock(struct lz_mutex *mutex) LZ_RELEASE(*mutex);

static inline void LZ_UNCHECKED
lz_mutex_lock(struct lz_mutex *mutex)
{
    (void)pthread_mutex_lock(&mutex->raw);
}

static inline void LZ_UNCHECKED
lz_mutex_unlock(struct lz_mutex *mutex)
{
    (void)pthread_mutex_unlock(&mutex->raw);
}

#endif

/* libfaketime knows pthread_cond_timedwait and not its twin of C11, by which the client of Kafka waits: without this
 * a process that is five minutes ahead waits five minutes longer, and one that is behind not at all. In glibc both
 * are the same objects under other names. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  switch (pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until)) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
  }
}

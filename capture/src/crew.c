// SPDX-License-Identifier: Apache-2.0
/* Threads that share numbered pieces of work. Who waits for the first of them is told as they are
 * done. */
#include <pthread.h>
#include <stdlib.h>

#include "capture.h"

struct crew {
	struct crew_work work;
	void *argument;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t next;
	uint64_t done; /* all before it are */
	unsigned count;
	struct worker {
		struct crew *crew;
		pthread_t thread;
		uint64_t number; /* of the piece that it has, or UINT64_MAX */
	} workers[MOST_THREADS];
};

/* The first piece that some thread has still, or the next that none has taken. Under the lock. */
static void tell(struct crew *crew)
{
	uint64_t done = crew->next;

	for (unsigned i = 0; i < crew->count; i++) {
		if (crew->workers[i].number < done)
			done = crew->workers[i].number;
	}
	if (done != crew->done) {
		crew->done = done;
		pthread_cond_broadcast(&crew->moved);
	}
}

static bool take(struct worker *worker)
{
	struct crew *crew = worker->crew;
	bool some;

	pthread_mutex_lock(&crew->lock);
	some = crew->next < crew->work.pieces;
	worker->number = some ? crew->next++ : UINT64_MAX;
	tell(crew);
	pthread_mutex_unlock(&crew->lock);
	return some;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct crew *crew = worker->crew;
	void *own = crew->work.begin(crew->argument);

	while (take(worker))
		crew->work.piece(crew->argument, own, worker->number);
	crew->work.end(own);
	return NULL;
}

struct crew *crew_start(unsigned threads, const struct crew_work *what, void *argument)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		die("out of memory");
	crew->work = *what;
	crew->argument = argument;
	crew->count = threads;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->moved, NULL);
	for (unsigned i = 0; i < threads; i++)
		crew->workers[i] = (struct worker){ .crew = crew, .number = UINT64_MAX };
	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&crew->workers[i].thread, NULL, work, &crew->workers[i]))
			die("a thread cannot be made");
	}
	return crew;
}

void crew_await(struct crew *crew, uint64_t pieces)
{
	pthread_mutex_lock(&crew->lock);
	while (crew->done < pieces)
		pthread_cond_wait(&crew->moved, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
}

void crew_join(struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		pthread_join(crew->workers[i].thread, NULL);
	pthread_cond_destroy(&crew->moved);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}

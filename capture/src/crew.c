// SPDX-License-Identifier: Apache-2.0
/* Threads that share numbered pieces of work. */
#include <pthread.h>
#include <stdlib.h>

#include "capture.h"

struct crew {
	struct crew_work work;
	void *argument;
	pthread_mutex_t lock;
	uint64_t next;
	unsigned count;
	struct worker {
		struct crew *crew;
		pthread_t thread;
		uint64_t number; /* of the piece that it has, or UINT64_MAX */
	} workers[MOST_THREADS];
};

static bool take(struct worker *worker)
{
	struct crew *crew = worker->crew;
	bool some;

	pthread_mutex_lock(&crew->lock);
	some = crew->next < crew->work.pieces;
	if (some)
		worker->number = crew->next++;
	pthread_mutex_unlock(&crew->lock);
	return some;
}

/* Says that its piece is done, and returns how many are from the first on: up to the first that
 * some thread has still, or the next that none has taken. */
static uint64_t give(struct worker *worker)
{
	struct crew *crew = worker->crew;
	uint64_t done;

	pthread_mutex_lock(&crew->lock);
	worker->number = UINT64_MAX;
	done = crew->next;
	for (unsigned i = 0; i < crew->count; i++) {
		if (crew->workers[i].number < done)
			done = crew->workers[i].number;
	}
	pthread_mutex_unlock(&crew->lock);
	return done;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct crew *crew = worker->crew;
	void *own = crew->work.begin(crew->argument);

	while (take(worker)) {
		crew->work.piece(crew->argument, own, worker->number);
		crew->work.after(crew->argument, own, give(worker));
	}
	crew->work.end(own);
	return NULL;
}

void crew_run(unsigned threads, const struct crew_work *what, void *argument)
{
	struct crew crew = { .work = *what, .argument = argument, .count = threads };

	pthread_mutex_init(&crew.lock, NULL);
	for (unsigned i = 0; i < threads; i++)
		crew.workers[i] = (struct worker){ .crew = &crew, .number = UINT64_MAX };
	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&crew.workers[i].thread, NULL, work, &crew.workers[i]))
			die("a thread cannot be made");
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(crew.workers[i].thread, NULL);
	pthread_mutex_destroy(&crew.lock);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * kmorph-capture: reads the memory of a kernel, packs it and writes it, as the daemon tells it on
 * standard input. The daemon decides which pages are kept and what the file's head says;
 * docs/vmcore.md has what is said between the two.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture.h"

#define NICE 10
#define LOWEST_IO_PRIORITY (2 << 13 | 7) /* ioprio_set(2): best effort, 7 */
#define MOST_FRAMES (1ull << 36)
#define MOST_RUNS (1ull << 20)
#define MOST_PUT (1ull << 30)

static const char usage[] =
	"usage: kmorph-capture THREADS file PATH | plain PATH | stream PATH | stream\n"
	"\n"
	"Captures a kernel's memory to a file, plain without its digest, or as a stream to a FIFO or standard output. The\n"
	"daemon runs it, and says on standard input what to capture; standard error tells how far it is.\n"
	"Example: kmorph-capture 2 file /tmp/x\n";

static unsigned threads;
static bool streams, digests;
static const char *place;
static struct pages pages;
static struct copying {
	struct run *runs;
	uint64_t count;
} copying;
static pthread_t worker;
static bool works;

void die(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	dprintf(STDERR_FILENO, "error %s\n", text);
	_exit(1);
}

static void *room(uint64_t bytes)
{
	void *found = malloc(bytes > 0 ? bytes : 1);

	if (!found)
		die("out of memory: %" PRIu64 " bytes are needed", bytes);
	return found;
}

uint8_t *buffer_new(void)
{
	return room(UNIT * PAGE);
}

static void *follows(uint64_t bytes)
{
	void *found = room(bytes);

	if (fread(found, 1, bytes, stdin) != bytes)
		die("the daemon has gone");
	return found;
}

static void put(const char *words)
{
	uint64_t position, length;
	void *bytes;

	if (sscanf(words, "%" SCNu64 " %" SCNu64, &position, &length) != 2 || length > MOST_PUT)
		die("cannot understand \"put %s\"", words);
	bytes = follows(length);
	output_write(position, bytes, length);
	free(bytes);
}

static void memory(const char *words)
{
	uint64_t physical, length, offset;
	int path = 0;

	if (sscanf(words, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %n", &physical, &length, &offset,
		   &path) != 3 ||
	    path == 0)
		die("cannot understand \"memory %s\"", words);
	memory_add(physical, length, offset, words + path);
}

/* The daemon has more to say meanwhile. */
static void start(void *(*work)(void *))
{
	if (works || pthread_create(&worker, NULL, work, NULL))
		die(works ? "memory can be written once" : "a thread cannot be made");
	works = true;
}

static void *pack(void *unused)
{
	(void)unused;
	pages_write(&pages, threads, digests);
	return NULL;
}

static void start_packing(const char *words)
{
	char compression[16];

	if (sscanf(words, "%15s %" SCNu64 " %" SCNu64, compression, &pages.frames,
		   &pages.position) != 3 ||
	    !compression_of(compression, &pages.compression) || pages.frames > MOST_FRAMES ||
	    pages.position % PAGE || pages.position < 2 * PAGE || pages.position > MOST_PUT)
		die("cannot understand \"pages %s\"", words);
	pages.ram = follows(pages_bitmap_bytes(&pages));
	pages.kept = follows(pages_bitmap_bytes(&pages));
	start(pack);
}

static void *copy(void *unused)
{
	(void)unused;
	copy_write(copying.runs, copying.count, threads, digests);
	return NULL;
}

static void start_copying(const char *words)
{
	uint64_t count, total;
	struct run *runs;

	if (sscanf(words, "%" SCNu64 " %" SCNu64, &count, &total) != 2 || count > MOST_RUNS)
		die("cannot understand \"copy %s\"", words);
	runs = follows(count * sizeof(*runs));
	for (uint64_t i = 0; i < count; i++) {
		if (runs[i].length % PAGE || runs[i].position + runs[i].length > total ||
		    (i > 0 && runs[i].position < runs[i - 1].position + runs[i - 1].length))
			die("run %" PRIu64 " has impossible bounds", i);
	}
	output_length(total);
	copying = (struct copying){ runs, count };
	start(copy);
}

static void end(void)
{
	uint8_t digest[32];
	char text[65] = "-";
	uint64_t length;

	if (digests)
		digest_open();
	if (works)
		pthread_join(worker, NULL);
	length = output_size();
	if (digests) {
		digest_end(length, digest);
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(text + 2 * i, 3, "%02x", digest[i]);
	}
	output_end();
	progress_end();
	dprintf(STDERR_FILENO, "whole %" PRIu64 " %s\n", length, text);
}

/* The file is made when there is something to be done: who starts us early may change his mind. */
static void serve(void)
{
	char *line = NULL;
	size_t size = 0;
	bool opened = false;
	ssize_t length;

	while ((length = getline(&line, &size, stdin)) > 0) {
		line[length - 1] = 0;
		if (!opened)
			output_open(place, streams);
		opened = true;
		if (strncmp(line, "memory ", 7) == 0)
			memory(line + 7);
		else if (strncmp(line, "put ", 4) == 0)
			put(line + 4);
		else if (strncmp(line, "pages ", 6) == 0)
			start_packing(line + 6);
		else if (strncmp(line, "copy ", 5) == 0)
			start_copying(line + 5);
		else if (strcmp(line, "end") == 0)
			break;
		else
			die("cannot understand \"%s\"", line);
	}
	free(line);
	if (length <= 0)
		die("the daemon has gone");
	end();
}

/* Others go first: what watches kernels, and the kernels that are well. Not being allowed to say so
 * is no failure. */
static void step_back(void)
{
	struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_BATCH, &none);
	setpriority(PRIO_PROCESS, 0, NICE);
	syscall(SYS_ioprio_set, 1, 0, LOWEST_IO_PRIORITY);
}

int main(int argc, char **argv)
{
	const char *what = argc >= 3 ? argv[2] : "";
	char *rest;

	streams = strcmp(what, "stream") == 0;
	digests = strcmp(what, "file") == 0;
	if (argc > 4 || !(streams || (argc == 4 && (digests || strcmp(what, "plain") == 0)))) {
		fputs(usage, stderr);
		return 2;
	}
	threads = (unsigned)strtoul(argv[1], &rest, 10);
	if (*rest || threads < 1 || threads > MOST_THREADS) {
		fprintf(stderr, "error THREADS is \"%s\"; expected 1 to %u\n", argv[1],
			MOST_THREADS);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	step_back();
	progress_start();
	place = argv[3];
	serve();
	return 0;
}

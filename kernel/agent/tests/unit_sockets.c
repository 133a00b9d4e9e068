// SPDX-License-Identifier: Apache-2.0
/* Connections that move, in a network namespace of their own. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../src/sockets.h"
#include "unit.h"
#include "unit_sockets.h"

static char why[160];

static void enter_network_namespace(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		fprintf(stderr,
			"a network namespace is needed to move connections: %s; run the "
			"tests as root or allow user namespaces\n",
			strerror(errno));
		exit(1);
	}
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	MUST(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0);
	close(fd);
}

int connect_client(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 10 };
	socklen_t length = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;

	world_reset(KMP_WORKLOAD_RUNNING);
	MUST(listener >= 0 && bind(listener, (struct sockaddr *)&at, length) == 0);
	MUST(listen(listener, 5) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
	MUST(client >= 0 && connect(client, (struct sockaddr *)&at, length) == 0);
	MUST(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	accepted = accept(listener, NULL, NULL);
	MUST(accepted >= 0);
	link_carry(LISTENER, listener, true);
	link_carry(CONNECTION, accepted, true);
	close(listener);
	close(accepted);
	return client;
}

/* The same of another connection. */
static int connect_another(int client)
{
	int listener = carried_last(LISTENER)->fd, another, accepted;
	struct sockaddr_in at;
	socklen_t length = sizeof(at);

	another = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(getpeername(client, (struct sockaddr *)&at, &length) == 0);
	MUST(another >= 0 && connect(another, (struct sockaddr *)&at, length) == 0);
	accepted = accept(listener, NULL, NULL);
	MUST(accepted >= 0);
	link_carry(CONNECTION + 1, accepted, true);
	close(accepted);
	return another;
}

struct carried *carried_last(uint64_t tag)
{
	for (size_t i = workload_link.carried_count; i > 0; i--)
		if (workload_link.carried[i - 1].tag == tag)
			return &workload_link.carried[i - 1];
	return NULL;
}

void say_to(int fd, const char *text)
{
	MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

void hears(int fd, const char *text)
{
	char heard[64];
	size_t length = strlen(text);

	MUST(recv(fd, heard, length, MSG_WAITALL) == (ssize_t)length);
	MUST(memcmp(heard, text, length) == 0);
}

/* What was prepared becomes the workload's, and is heard. */
static void takes_over(void)
{
	sockets_take();
	MUST(sockets_adopt());
	sockets_speak();
	sockets_open();
	sockets_replay();
	sockets_carry();
}

static void a_connection_moves_with_what_stands_in_its_queues(void)
{
	int client = connect_client();
	struct blob blob = { 0 };

	say_to(client, "question, ");
	say_to(carried_last(CONNECTION)->fd, "answer, ");
	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	MUST(sockets_rehearse(blob.bytes, blob.length, why, sizeof(why)));
	MUST(strcmp(why, "2 at 1 ports") == 0);
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	/* said while nobody could hear it */
	say_to(client, "and more");
	MUST(sockets_are_as_saved());
	sockets_give_up();
	takes_over();
	guards_close();
	hears(carried_last(CONNECTION)->fd, "question, and more");
	say_to(carried_last(CONNECTION)->fd, "and another");
	hears(client, "answer, and another");
	sockets_forget();
	free(blob.bytes);
	close(client);
}

/* To where the same state was kept; the client has heard nothing of it, and nothing that it said
 * was taken in. */
static void a_connection_that_was_given_back_goes_on_as_it_was_saved(void)
{
	int client = connect_client();
	struct blob blob = { 0 };

	say_to(client, "question, ");
	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	sockets_give_up();
	sockets_take();
	MUST(sockets_adopt());
	sockets_speak();
	say_to(client, "said to the deaf, ");
	sockets_withdraw();
	sockets_forget();
	MUST(sockets_rehearse(blob.bytes, blob.length, why, sizeof(why)));
	say_to(client, "and more");
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	sockets_were_kept(0);
	takes_over();
	hears(carried_last(CONNECTION)->fd, "question, said to the deaf, and more");
	say_to(carried_last(CONNECTION)->fd, "answer");
	hears(client, "answer");
	sockets_forget();
	free(blob.bytes);
	close(client);
}

/* On a kernel of its own, where nobody but itself was to share its ports. A connection that does
 * not move is in the way for long after its workload has ended: its peer does not acknowledge that.
 */
static void what_comes_back_to_its_own_kernel_has_its_port_again(void)
{
	int client = connect_client(), ended = connect_another(client);
	struct blob blob = { 0 };

	options.local = false;
	MUST(shutdown(ended, SHUT_WR) == 0);
	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	sockets_give_up();
	link_close();
	MUST(sockets_rehearse(blob.bytes, blob.length, why, sizeof(why)));
	say_to(client, "question");
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	sockets_were_kept(0);
	world_open_link(true);
	takes_over();
	hears(carried_last(CONNECTION)->fd, "question");
	say_to(carried_last(CONNECTION)->fd, "answer");
	hears(client, "answer");
	sockets_forget();
	free(blob.bytes);
	close(client);
	close(ended);
}

static void a_connection_that_stays_goes_on_after_the_hold(void)
{
	int client = connect_client();
	struct blob blob = { 0 };

	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	say_to(client, "meanwhile");
	sockets_resume();
	hears(carried_last(CONNECTION)->fd, "meanwhile");
	say_to(carried_last(CONNECTION)->fd, "here still");
	hears(client, "here still");
	free(blob.bytes);
	close(client);
}

/* As Linux before 6.7 says it; newer ones would take the bit for a clock in microseconds. */
static void an_odd_clock_stays_one_of_milliseconds(void)
{
	int client = connect_client();
	struct blob blob = { 0 };
	struct saved_socket saved;
	uint32_t clock, passed;
	struct timespec begun, now;

	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	/* the listener's stands before it */
	memcpy(&saved, blob.bytes + sizeof(saved), sizeof(saved));
	MUST(saved.what == CONNECTED);
	saved.timestamp |= 1;
	memcpy(blob.bytes + sizeof(saved), &saved, sizeof(saved));
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	sockets_give_up();
	sockets_take();
	MUST(sockets_adopt());
	sockets_speak();
	sockets_open();
	sockets_carry();
	clock = (uint32_t)socket_get(carried_last(CONNECTION)->fd, IPPROTO_TCP, TCP_TIMESTAMP);
	MUST((int32_t)(clock - saved.timestamp) > 0);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < 20);
	passed = (uint32_t)socket_get(carried_last(CONNECTION)->fd, IPPROTO_TCP, TCP_TIMESTAMP) -
		 clock;
	MUST(passed >= 19 && passed < 10000);
	sockets_forget();
	free(blob.bytes);
	close(client);
}

static void a_listener_listens_on(void)
{
	int client = connect_client(), second;
	struct sockaddr_in at;
	socklen_t length = sizeof(at);
	struct blob blob = { 0 };

	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	sockets_give_up();
	takes_over();
	guards_close();
	MUST(getpeername(client, (struct sockaddr *)&at, &length) == 0);
	second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(second >= 0 && connect(second, (struct sockaddr *)&at, length) == 0);
	close(second);
	sockets_forget();
	free(blob.bytes);
	close(client);
}

static void state_that_ends_early_is_refused(void)
{
	int client = connect_client();
	struct blob blob = { 0 };
	size_t one;

	say_to(client, "question");
	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	/* the listener's structure, the connection's, what stands in its queue */
	one = (blob.length - strlen("question")) / 2;
	for (size_t cut = 1; cut < blob.length; cut++) {
		uint8_t *part = malloc(cut);
		bool taken;

		memcpy(part, blob.bytes, cut);
		sockets_rehearse(part, cut, why, sizeof(why));
		taken = sockets_prepare(part, cut, why, sizeof(why));
		/* each socket is whole by itself */
		MUST(taken == (cut == one));
		sockets_forget();
		free(part);
	}
	sockets_resume();
	free(blob.bytes);
	close(client);
}

static void more_sockets_than_are_carried_are_refused_before_one_is_made(void)
{
	struct blob blob = { 0 };
	struct saved_socket saved = { .what = ENDING };

	for (size_t i = 0; i <= MAX_SOCKETS; i++)
		blob_add(&blob, &saved, sizeof(saved));
	MUST(!sockets_rehearse(blob.bytes, blob.length, why, sizeof(why)));
	MUST(strcmp(why, "more than 8192 sockets") == 0);
	MUST(made_count == 0);
	sockets_forget();
	free(blob.bytes);
}

void unit_sockets(void)
{
	enter_network_namespace();
	MUST(sockets_capable());
	RUN(a_connection_moves_with_what_stands_in_its_queues);
	RUN(a_connection_that_was_given_back_goes_on_as_it_was_saved);
	RUN(what_comes_back_to_its_own_kernel_has_its_port_again);
	RUN(a_connection_that_stays_goes_on_after_the_hold);
	RUN(an_odd_clock_stays_one_of_milliseconds);
	RUN(a_listener_listens_on);
	RUN(state_that_ends_early_is_refused);
	RUN(more_sockets_than_are_carried_are_refused_before_one_is_made);
	world_reset(KMP_WORKLOAD_HELD);
}

// SPDX-License-Identifier: Apache-2.0
/* Sockets that outlive the agent that held them, in the network namespace of unit_sockets.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../src/sockets.h"
#include "unit.h"
#include "unit_sockets.h"

static char why[160];

/* What the workload itself has of a socket. */
static int own(uint64_t tag)
{
	int fd = dup(carried_last(tag)->fd);

	MUST(fd >= 0);
	return fd;
}

/* All that it had open is closed, and nothing is put back. */
static void agent_dies(void)
{
	for (size_t i = 0; i < workload_link.carried_count; i++)
		close(workload_link.carried[i].fd);
	workload_link.carried_count = 0;
	for (size_t i = 0; i < made_count; i++)
		close(made[i].fd);
	made_count = 0;
	guards_close();
}

static void another_can_connect(int client, int listener)
{
	struct sockaddr_in at;
	socklen_t length = sizeof(at);
	int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;

	MUST(getpeername(client, (struct sockaddr *)&at, &length) == 0);
	MUST(second >= 0 && connect(second, (struct sockaddr *)&at, length) == 0);
	accepted = accept(listener, NULL, NULL);
	MUST(accepted >= 0);
	close(accepted);
	close(second);
}

/* As an agent that is supervised, with a kernel of its own. */
static int connect_to_supervised(void)
{
	int client = connect_client();

	options.local = false;
	return client;
}

static void what_a_dead_agent_held_goes_on_as_it_was(void)
{
	int client = connect_to_supervised(), listener = own(LISTENER), accepted = own(CONNECTION);
	struct blob blob = { 0 };
	char byte;

	MUST(socket_set(accepted, SOL_SOCKET, SO_REUSEADDR, 0));
	carried_last(CONNECTION)->reuse_address = true;
	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	/* as it is while another's connection is accepted for the workload */
	fcntl(listener, F_SETFL, O_NONBLOCK);
	say_to(client, "question");
	agent_dies();
	MUST(recv(accepted, &byte, 1, MSG_DONTWAIT) < 0);
	bequest_take(true);
	MUST(socket_get(accepted, IPPROTO_TCP, TCP_REPAIR) == 0);
	MUST(socket_get(accepted, SOL_SOCKET, SO_REUSEADDR) == 1);
	MUST(socket_get(listener, SOL_SOCKET, SO_REUSEPORT) == 0);
	MUST(!(fcntl(listener, F_GETFL) & O_NONBLOCK));
	hears(accepted, "question");
	say_to(accepted, "answer");
	hears(client, "answer");
	another_can_connect(client, listener);
	free(blob.bytes);
	close(listener);
	close(accepted);
	close(client);
}

static void what_a_dead_target_had_made_hears_at_last(void)
{
	int client = connect_to_supervised(), listener, accepted;
	struct blob blob = { 0 };

	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	/* the source is another kernel: here it would be in the way */
	socket_set(carried_last(LISTENER)->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	socket_set(carried_last(LISTENER)->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	MUST(sockets_prepare(blob.bytes, blob.length, why, sizeof(why)));
	sockets_give_up();
	sockets_take();
	MUST(sockets_adopt());
	sockets_speak();
	listener = dup(made[0].fd);
	accepted = dup(made[1].fd);
	agent_dies();
	say_to(client, "question");
	bequest_take(true);
	MUST(socket_get(listener, SOL_SOCKET, SO_REUSEPORT) == 0);
	hears(accepted, "question");
	say_to(accepted, "answer");
	hears(client, "answer");
	another_can_connect(client, listener);
	sockets_forget();
	free(blob.bytes);
	close(listener);
	close(accepted);
	close(client);
}

static void what_a_dead_agent_had_released_is_gone_without_a_word(void)
{
	int client = connect_to_supervised();
	struct blob blob = { 0 };
	char byte;

	sockets_hold();
	agent_dies();
	bequest_take(false);
	MUST(recv(client, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	free(blob.bytes);
	close(client);
}

/* The supervisor keeps none longer than it must: its end would not be the connection's. */
static void what_goes_on_is_the_workloads_alone(void)
{
	int client = connect_to_supervised();
	struct blob blob = { 0 };
	char byte;

	sockets_hold();
	MUST(sockets_save(&blob, why, sizeof(why)));
	sockets_resume();
	agent_dies();
	MUST(recv(client, &byte, 1, 0) == 0);
	close(client);
	client = connect_to_supervised();
	sockets_hold();
	link_close();
	MUST(recv(client, &byte, 1, 0) == 0);
	free(blob.bytes);
	close(client);
}

static void as_many_as_are_carried_are_kept(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), flags = fcntl(fd, F_GETFL);

	for (size_t i = 0; i + 1 < MAX_CARRIED; i++)
		MUST(bequest_add(fd, (struct bequest){ .flags = -1 }));
	/* the last packet is no whole one */
	MUST(bequest_all_added());
	MUST(bequest_add(fd, (struct bequest){ .listens = true, .flags = flags | O_NONBLOCK }));
	MUST(bequest_all_added());
	bequest_take(true);
	MUST(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

void unit_bequest(void)
{
	bequest_open();
	RUN(what_a_dead_agent_held_goes_on_as_it_was);
	RUN(what_a_dead_target_had_made_hears_at_last);
	RUN(what_a_dead_agent_had_released_is_gone_without_a_word);
	RUN(what_goes_on_is_the_workloads_alone);
	RUN(as_many_as_are_carried_are_kept);
	world_reset(KMP_WORKLOAD_HELD);
}

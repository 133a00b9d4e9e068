// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmorphctl.h"

static bool join(char *to, const char *directory, const char *name)
{
	int n = snprintf(to, PATH_MAX, "%s%s", directory, name);

	if (n < 0 || n >= PATH_MAX) {
		complain("the path %s%s is too long", directory, name);
		return false;
	}
	return true;
}

/* The directory of this program, without links and without a slash at the end. */
static bool own_directory(char *directory)
{
	ssize_t n = readlink("/proc/self/exe", directory, PATH_MAX - 1);
	char *slash;

	if (n < 0) {
		complain("cannot read /proc/self/exe: %s; name the socket with --socket=PATH",
			 strerror(errno));
		return false;
	}
	directory[n] = '\0';
	slash = strrchr(directory, '/');
	if (!slash) {
		complain("/proc/self/exe is %s, not a path; name the socket with --socket=PATH",
			 directory);
		return false;
	}
	*slash = '\0';
	return true;
}

static bool of_system(const char *directory)
{
	return strcmp(directory, "/usr/bin") == 0 || strcmp(directory, "/usr/local/bin") == 0 ||
	       strcmp(directory, "/bin") == 0;
}

bool place_find(struct place *place, const char *socket_option)
{
	const char *variable = getenv("KMORPH_SOCKET");
	char directory[PATH_MAX];

	if (!own_directory(directory) || !join(place->daemon, directory, "/kmorphd"))
		return false;
	if (socket_option)
		return join(place->socket, socket_option, "");
	if (variable && *variable)
		return join(place->socket, variable, "");
	if (of_system(directory))
		return join(place->socket, "/run/kmorph/control.sock", "");
	/* <home>/bin/kmorphctl: the socket is <home>/run/control.sock */
	char *slash = strrchr(directory, '/');

	if (slash)
		*slash = '\0';
	return join(place->socket, directory, "/run/control.sock");
}

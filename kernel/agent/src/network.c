// SPDX-License-Identifier: Apache-2.0
/*
 * The network identity of an instance that is a kernel of its own: an address on the one network
 * card that its machine has. It belongs to whoever owns the workload. The card has the same MAC
 * address in both kernels of a morph and hears the same; only the owner has the IP address, and so
 * only the owner answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

#define CARD "eth0"

static bool change(unsigned long request, const char *card, const void *address, short flags)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq wanted = { 0 };
	bool done;

	strncpy(wanted.ifr_name, card, IFNAMSIZ - 1);
	if (address)
		memcpy(&wanted.ifr_addr, address, sizeof(struct sockaddr_in));
	else
		wanted.ifr_flags = flags;
	done = fd >= 0 && ioctl(fd, request, &wanted) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* Its own idea of an address would be that of the other kernel's card. */
static void no_ipv6(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/" CARD "/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		say("cannot keep IPv6 from " CARD ": %s", strerror(errno));
	close(fd);
}

void network_open(void)
{
	if (!change(SIOCSIFFLAGS, "lo", NULL, IFF_UP | IFF_RUNNING))
		say("cannot use lo: %s", strerror(errno));
	if (!options.address)
		return;
	no_ipv6();
	if (!change(SIOCSIFFLAGS, CARD, NULL, IFF_UP | IFF_RUNNING))
		say("cannot use " CARD ": %s", strerror(errno));
}

/* The address and mask of ADDRESS/BITS. */
static bool parse(struct sockaddr_in *at, struct sockaddr_in *mask)
{
	char text[INET_ADDRSTRLEN] = "";
	const char *slash = options.address ? strchr(options.address, '/') : NULL;
	long bits = slash ? strtol(slash + 1, NULL, 10) : 0;

	*at = *mask = (struct sockaddr_in){ .sin_family = AF_INET };
	if (!slash || bits < 1 || bits > 32 || (size_t)(slash - options.address) >= sizeof(text))
		return false;
	memcpy(text, options.address, (size_t)(slash - options.address));
	mask->sin_addr.s_addr = htonl(UINT32_MAX << (32 - bits));
	return inet_pton(AF_INET, text, &at->sin_addr) == 1;
}

void network_take(void)
{
	struct sockaddr_in at, mask;

	if (!options.address)
		return;
	if (!parse(&at, &mask) || !change(SIOCSIFADDR, CARD, &at, 0) ||
	    !change(SIOCSIFNETMASK, CARD, &mask, 0))
		say("cannot take the address %s: %s", options.address, strerror(errno));
}

void network_give_up(void)
{
	struct sockaddr_in none = { .sin_family = AF_INET };

	if (options.address && !change(SIOCSIFADDR, CARD, &none, 0))
		say("cannot give up the address %s: %s", options.address, strerror(errno));
}

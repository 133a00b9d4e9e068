// SPDX-License-Identifier: Apache-2.0
/*
 * kmorph-shim: the parent of one instance's kernel. It outlives the daemon, knows how the kernel
 * ended when no daemon was there to see it, keeps its console log, and can end it for certain.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kerf_ring.h"
#include "shim.h"

static const char usage[] =
	"usage: kmorph-shim --dir DIR [OPTION...] -- PROGRAM [ARGUMENT...]\n"
	"       kmorph-shim --dir DIR --fence\n"
	"\n"
	"Starts PROGRAM in DIR and stays its parent; returns once it runs. The socket DIR/shim.sock tells\n"
	"how it stands and ends it. Example: kmorph-shim --dir /run/x --log-limit 1048576 -- /bin/cat\n"
	"\n"
	"  --dir DIR          an existing directory of this instance's own\n"
	"  --log-limit BYTES  of DIR/console.log and console.log.1 together; default 8388608\n"
	"  --isolate          own pid, mount and network namespaces, as far as the system allows\n"
	"  --network-of PID   the network namespace of this process instead\n"
	"  --cpus LIST        processors that it may use: 0-3,6\n"
	"  --cgroup PATH      a control group's directory to put it into; may be repeated\n"
	"  --link-bytes BYTES make a link of kerf_ring.h: a power of two, 1 to 256 MiB\n"
	"  --link-id ID       the kernel's number on it, 1 to 65535\n"
	"  --fence            end what a shim of DIR has left that is itself dead\n";

/* Until the start has succeeded, errors go to whoever started us. */
static int starter = -1;

void die(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (starter >= 0) {
		/* a start that has failed leaves nothing to be mistaken for one that has not */
		unlink("pid");
		unlink("shim.sock");
		unlink("link.sock");
	}
	dprintf(starter >= 0 ? starter : STDERR_FILENO, "kmorph-shim: %s\n", text);
	_exit(1);
}

static long long number(const char *name, const char *text, long long least, long long most)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < least || value > most)
		die("%s is \"%s\"; expected a number from %lld to %lld", name, text, least, most);
	return value;
}

static void check_link(const struct options *options)
{
	if (!options->link_bytes != !options->link_id)
		die("--link-bytes and --link-id go together");
	if (options->link_bytes & (options->link_bytes - 1))
		die("--link-bytes is %lld; expected a power of two", options->link_bytes);
}

static void parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "log-limit", required_argument, NULL, 'l' },
		{ "isolate", no_argument, NULL, 'i' },
		{ "network-of", required_argument, NULL, 'N' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "link-bytes", required_argument, NULL, 'b' },
		{ "link-id", required_argument, NULL, 'n' },
		{ "fence", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options){ .log_limit = 8 << 20 };
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'd':
			options->directory = optarg;
			break;
		case 'l':
			options->log_limit = number("--log-limit", optarg, 4096, LLONG_MAX);
			break;
		case 'b':
			options->link_bytes = number("--link-bytes", optarg, KERF_SHM_MIN_BYTES,
						     KERF_SHM_MAX_BYTES);
			break;
		case 'n':
			options->link_id = (unsigned)number("--link-id", optarg, 1, KERF_MAX_ID);
			break;
		case 'i':
			options->isolate = true;
			break;
		case 'c':
			options->cpus = optarg;
			break;
		case 'N':
			options->network_of = optarg;
			break;
		case 'g':
			if (options->cgroup_count == MAX_CGROUPS)
				die("--cgroup may be given at most %d times", MAX_CGROUPS);
			options->cgroups[options->cgroup_count++] = optarg;
			break;
		case 'f':
			options->fence = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	options->program = argv + optind;
	if (!options->directory || options->fence != (optind == argc)) {
		fputs(usage, stderr);
		exit(2);
	}
	check_link(options);
}

/* Goes on as a process of its own; the first one waits for its word and exits. */
static void detach(void)
{
	char text[1200];
	size_t length = 0;
	ssize_t got;
	int report[2];
	pid_t child;

	if (pipe2(report, O_CLOEXEC) < 0)
		die("cannot make a pipe: %s", strerror(errno));
	child = fork();
	if (child < 0)
		die("cannot fork: %s", strerror(errno));
	if (child == 0) {
		close(report[0]);
		starter = report[1];
		setsid();
		return;
	}
	close(report[1]);
	while (length < sizeof(text) &&
	       (got = read(report[0], text + length, sizeof(text) - length)) > 0)
		length += (size_t)got;
	if (length == 3 && memcmp(text, "ok\n", 3) == 0)
		_exit(0);
	if (length == 0)
		die("it ended before the program ran");
	fprintf(stderr, "%.*s", (int)length, text);
	exit(1);
}

static void standard_streams_to_null(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		die("cannot open /dev/null: %s", strerror(errno));
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

/* Every process of this instance inherits it: so fence_orphans finds them. */
static void name_directory(void)
{
	char path[PATH_MAX];

	if (!getcwd(path, sizeof(path)) || setenv(DIRECTORY_VARIABLE, path, 1) < 0)
		die("cannot tell the path of the directory: %s", strerror(errno));
}

/* When memory is short, others are to go first; not being allowed to say so is no failure. */
static void spare_from_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "-900", 4) < 0)
			errno = 0;
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct options options;
	struct kernel kernel;
	int listener;

	parse(&options, argc, argv);
	if (chdir(options.directory) < 0)
		die("cannot enter %s: %s", options.directory, strerror(errno));
	if (options.fence)
		fence_orphans(options.directory);
	if (!record_lock())
		die("%s has a shim already", options.directory);
	if (access("fenced", F_OK) == 0)
		die("%s was fenced: nothing is started there any more", options.directory);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	detach();
	standard_streams_to_null();
	/* what its kernel leaves behind becomes ours, so that we can end it and know that we did */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	name_directory();
	listener = listen_at("shim.sock");
	/* a QEMU comes for it when it starts, and does not come again */
	link_open(&options);
	console_open(options.log_limit);
	kernel_start(&kernel, &options);
	record_pids(&kernel);
	kernel_release(&kernel);
	spare_from_oom_killer();
	if (write(starter, "ok\n", 3) != 3)
		errno = 0; /* nobody waits any more: the next daemon adopts */
	close(starter);
	starter = -1;
	serve(listener, &kernel);
}

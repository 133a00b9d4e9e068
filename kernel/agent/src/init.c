// SPDX-License-Identifier: Apache-2.0
/* In a kernel of its own: the file systems that it needs, and its options. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define MAX_WORDS 256

static char command_line[4096];
static char *words[MAX_WORDS + 1];

static void mount_at(const char *path, const char *type)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) < 0 && errno != EBUSY)
		say("cannot mount %s: %s", path, strerror(errno));
}

/* %41 is A: the kernel splits its command line at spaces, whatever quotes it. */
static void unescape(char *word)
{
	char *to = word;

	for (; *word; word++) {
		char digits[3] = { word[0] == '%' ? word[1] : 0, 0, 0 };
		char *end = digits;
		unsigned long byte = 0;

		if (digits[0]) {
			digits[1] = word[2];
			byte = strtoul(digits, &end, 16);
		}
		if (end == digits + 2) {
			*to++ = (char)byte;
			word += 2;
		} else {
			*to++ = *word;
		}
	}
	*to = 0;
}

static void take_workload(char *list)
{
	size_t count = 0;
	char *rest, *word = strtok_r(list, ",", &rest);

	for (; word; word = strtok_r(NULL, ",", &rest)) {
		if (count == MAX_WORDS)
			die("kmorph.workload has more than %d words", MAX_WORDS);
		unescape(word);
		words[count++] = word;
	}
	options.workload = words;
}

static void take_parameter(char *parameter)
{
	static const char instance[] = "kmorph.instance=", hold[] = "kmorph.hold=1",
			  address[] = "kmorph.address=", workload_words[] = "kmorph.workload=";

	if (strncmp(parameter, instance, sizeof(instance) - 1) == 0)
		options.instance = (uint32_t)strtoul(parameter + sizeof(instance) - 1, NULL, 10);
	else if (strcmp(parameter, hold) == 0)
		options.hold = true;
	else if (strncmp(parameter, address, sizeof(address) - 1) == 0)
		options.address = parameter + sizeof(address) - 1;
	else if (strncmp(parameter, workload_words, sizeof(workload_words) - 1) == 0)
		take_workload(parameter + sizeof(workload_words) - 1);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		say("cannot load %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* What its initramfs lists, in order: among them is what it listens over. */
static void load_modules(void)
{
	char path[256];
	FILE *list = fopen("/etc/kmorph/modules", "re");

	if (!list)
		return;
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = 0;
		load_module(path);
	}
	fclose(list);
}

void oom_score_adjust(const char *value)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		say("cannot write oom_score_adj: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

void init_setup(void)
{
	static char listen_at[16];
	char *rest, *parameter;
	ssize_t length;
	int fd;

	options.init = true;
	options.supervise = true;
	mount_at("/proc", "proc");
	mount_at("/sys", "sysfs");
	mount_at("/dev", "devtmpfs");
	mount_at("/tmp", "tmpfs");
	load_modules();
	oom_score_adjust("-1000"); /* not what the kernel kills when memory is short */
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0);
	snprintf(listen_at, sizeof(listen_at), "vsock:%d", KMP_PORT);
	options.listen = listen_at;
	options.state = "/tmp";
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, command_line, sizeof(command_line) - 1);
	if (length < 0)
		die("cannot read /proc/cmdline: %s", strerror(errno));
	close(fd);
	for (parameter = strtok_r(command_line, " \n", &rest); parameter;
	     parameter = strtok_r(NULL, " \n", &rest))
		take_parameter(parameter);
	if (options.instance == 0)
		die("the kernel command line has no kmorph.instance=ID");
	network_open();
}

void init_power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

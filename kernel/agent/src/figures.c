// SPDX-License-Identifier: Apache-2.0
/*
 * How the instance is, from /proc (proc(5)), and from its control groups where these bound it
 * (cgroups(7), both versions).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent.h"

/* What was measured over less than this says little, and costs as much. */
#define LEAST_SPAN (100 * MS)

static int stat_fd = -1, meminfo_fd = -1, loadavg_fd = -1, uptime_fd = -1;
static struct figures figures;
static uint64_t read_at, started_at;
static uint64_t busy_before, all_before;

/* Files of the control groups; -1 where there is none. */
static int group_memory_limit = -1, group_memory_used = -1, group_memory_stat = -1;
static int group_cpu_used = -1;
static double group_cpus;    /* that the quota allows; 0: no quota */
static bool group_cpu_in_ns; /* version 1 counts nanoseconds, version 2 microseconds */

static char *slurp(int fd)
{
	static char text[16384];
	ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	text[length < 0 ? 0 : length] = 0;
	return text;
}

static int open_proc(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("cannot open %s: %s; is /proc mounted?", path, strerror(errno));
	return fd;
}

static int open_in_groups(const char *name)
{
	for (size_t i = 0; i < options.cgroup_count; i++) {
		char path[4096];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", options.cgroups[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static void open_groups(void)
{
	int fd;
	double quota, period = 0;

	group_memory_limit = open_in_groups("memory.max");
	if (group_memory_limit < 0)
		group_memory_limit = open_in_groups("memory.limit_in_bytes");
	group_memory_used = open_in_groups("memory.current");
	if (group_memory_used < 0)
		group_memory_used = open_in_groups("memory.usage_in_bytes");
	group_memory_stat = open_in_groups("memory.stat");
	group_cpu_used = open_in_groups("cpuacct.usage");
	group_cpu_in_ns = group_cpu_used >= 0;
	fd = open_in_groups("cpu.max");
	if (fd >= 0) {
		group_cpu_used = open_in_groups("cpu.stat");
		if (sscanf(slurp(fd), "%lf %lf", &quota, &period) == 2 && period > 0)
			group_cpus = quota / period;
	} else if ((fd = open_in_groups("cpu.cfs_quota_us")) >= 0) {
		quota = strtod(slurp(fd), NULL);
		close(fd);
		fd = open_in_groups("cpu.cfs_period_us");
		if (quota > 0 && sscanf(slurp(fd), "%lf", &period) == 1 && period > 0)
			group_cpus = quota / period;
	}
	if (fd >= 0)
		close(fd);
}

static uint64_t draw_boot_id(void)
{
	uint64_t id = 0;

	while (id == 0)
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			die("getrandom: %s", strerror(errno));
	return id;
}

/* The first 16 hexadecimal digits of boot_id, dashes left out. */
static uint64_t kernel_boot_id(void)
{
	int fd = open_proc("/proc/sys/kernel/random/boot_id");
	const char *text = slurp(fd);
	uint64_t id = 0;
	int digits = 0;

	for (; *text && digits < 16; text++) {
		char digit[2] = { *text, 0 };

		if (*text == '-')
			continue;
		id = id << 4 | strtoul(digit, NULL, 16);
		digits++;
	}
	close(fd);
	return id ? id : 1;
}

void figures_open(void)
{
	stat_fd = open_proc("/proc/stat");
	meminfo_fd = open_proc("/proc/meminfo");
	loadavg_fd = open_proc("/proc/loadavg");
	uptime_fd = open_proc("/proc/uptime");
	started_at = boot_ns();
	open_groups();
	figures.boot_id = options.local ? draw_boot_id() : kernel_boot_id();
	figures_read();
}

static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void read_memory(void)
{
	const char *text = slurp(meminfo_fd);
	uint64_t limit;

	figures.memory_total = field(text, "MemTotal:") << 10;
	figures.memory_available = field(text, "MemAvailable:") << 10;
	/* "max" reads as 0 */
	limit = strtoull(slurp(group_memory_limit), NULL, 10);
	if (limit > 0 && limit < figures.memory_total) {
		uint64_t used = strtoull(slurp(group_memory_used), NULL, 10);
		uint64_t idle = field(slurp(group_memory_stat), "\ninactive_file ");
		uint64_t left = limit + idle > used ? limit + idle - used : 0;

		figures.memory_total = limit;
		if (left > limit)
			left = limit;
		if (left < figures.memory_available)
			figures.memory_available = left;
	}
}

static uint16_t processors(void)
{
	cpu_set_t set;
	int count = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	if (group_cpus > 0 && group_cpus < count)
		count = (int)group_cpus > 0 ? (int)group_cpus : 1;
	return (uint16_t)count;
}

/* Of the group's processors if it counts them, else of the whole kernel's. In units of any kind. */
static void processor_time(uint64_t *busy, uint64_t *all)
{
	if (group_cpu_used >= 0) {
		const char *text = slurp(group_cpu_used);
		double processors_allowed = group_cpus > 0 ? group_cpus : figures.cpu_count;

		*busy = group_cpu_in_ns ? strtoull(text, NULL, 10)
					: field(text, "usage_usec ") * 1000;
		*all = (uint64_t)((double)now_ns() * processors_allowed);
		return;
	}
	/* user nice system idle iowait irq softirq steal */
	uint64_t time[8] = { 0 };
	const char *at = slurp(stat_fd) + strlen("cpu ");
	char *end;

	*all = 0;
	for (int i = 0; i < 8; i++, at = end) {
		time[i] = strtoull(at, &end, 10);
		*all += time[i];
	}
	*busy = *all - time[3] - time[4];
}

const struct figures *figures_read(void)
{
	uint64_t now = now_ns(), busy, all;

	figures.uptime_ms = options.local ? (boot_ns() - started_at) / MS
					  : (uint64_t)(strtod(slurp(uptime_fd), NULL) * 1000);
	if (read_at && now - read_at < LEAST_SPAN)
		return &figures;
	read_memory();
	figures.cpu_count = processors();
	figures.load1 = (uint32_t)(strtod(slurp(loadavg_fd), NULL) * 100 + 0.5);
	processor_time(&busy, &all);
	if (all > all_before && busy >= busy_before && read_at) {
		uint64_t use = (busy - busy_before) * 10000 / (all - all_before);

		figures.cpu_use = (uint32_t)(use > 10000 ? 10000 : use);
	}
	busy_before = busy;
	all_before = all;
	read_at = now;
	return &figures;
}

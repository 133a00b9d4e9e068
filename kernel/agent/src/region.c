// SPDX-License-Identifier: Apache-2.0
/* The parts of a workload's state. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "morph.h"

struct region regions[MAX_STATE_REGIONS];
size_t region_count;

struct region *region_find(uint32_t id)
{
	for (size_t i = 0; i < region_count; i++)
		if (regions[i].id == id)
			return &regions[i];
	return NULL;
}

struct region *region_add(uint32_t id, uint16_t kind, const char *name, uint64_t size, int fd)
{
	struct region *region = &regions[region_count];

	if (region_count == MAX_STATE_REGIONS || region_find(id)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*region = (struct region){ .id = id, .kind = kind, .size = size, .fd = fd };
	strncpy(region->name, name, sizeof(region->name) - 1);
	region_count++;
	return region;
}

void regions_forget(void)
{
	for (size_t i = 0; i < region_count; i++) {
		if (regions[i].fd >= 0)
			close(regions[i].fd);
		free(regions[i].blob);
		free(regions[i].ranges);
		free(regions[i].hashes);
	}
	region_count = 0;
}

void region_begin_round(struct region *region, uint16_t algorithm)
{
	digest_begin(&region->digest, algorithm);
	digest_add(&region->digest, region->last_digest, region->last_digest_length);
	region->covered = 0;
	region->range_at = 0;
	region->ended = false;
}

void region_end_round(struct region *region)
{
	region->last_digest_length = digest_end(&region->digest, region->last_digest);
	region->ended = true;
}

// SPDX-License-Identifier: Apache-2.0
/* unit DIRECTORY: runs all unit tests. The directory has the frames of docs/kmp.md, one each file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static int count;

void unit_run(const char *name, void (*test)(void))
{
	world_doing = name;
	test();
	count++;
}

int main(void)
{
	setenv("KMORPH_TRACKER", "hash", 1);
	unit_compress();
	unit_frame();
	unit_state();
	unit_morph();
	unit_handover();
	unit_survivor();
	unit_share();
	unit_sockets();
	unit_bequest();
	printf("%d unit tests\n", count);
	return 0;
}

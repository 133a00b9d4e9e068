// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading this module hangs the processor that loads it, with interrupts off: for tests and the demo of what is done
 * about a kernel that hangs. Nothing brings it back. With oops=1 it reads where nothing is instead. With
 * wrong=1 it does what does no harm here, and what a kernel that watches locks, sleep and memory has to report.
 */
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/slab.h>

static bool oops;
module_param(oops, bool, 0);
MODULE_PARM_DESC(oops, "read from address 0 instead");

static bool wrong;
module_param(wrong, bool, 0);
MODULE_PARM_DESC(wrong, "do what lockdep, checks of sleep and KASAN report, and return");

static DEFINE_MUTEX(hang_first);
static DEFINE_MUTEX(hang_second);

static void __init hang_lock(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

/* Memory comes last: lockdep is off from a report of KASAN on. */
static int __init hang_do_wrong(void)
{
	size_t behind = 24;
	u8 *memory = kmalloc(behind, GFP_KERNEL);

	if (!memory)
		return -ENOMEM;
	hang_lock(&hang_first, &hang_second);
	hang_lock(&hang_second, &hang_first);
	preempt_disable();
	might_sleep();
	preempt_enable();
	OPTIMIZER_HIDE_VAR(behind);
	(void)READ_ONCE(memory[behind]);
	kfree(memory);
	return 0;
}

static int __init hang_init(void)
{
	if (wrong)
		return hang_do_wrong();
	if (oops)
		return READ_ONCE(*(int *)NULL);
	pr_emerg("hang: this processor hangs from here on\n");
	local_irq_disable();
	for (;;)
		cpu_relax();
	return 0;
}
module_init(hang_init);

MODULE_DESCRIPTION("Hangs the kernel that loads it");
MODULE_LICENSE("GPL");

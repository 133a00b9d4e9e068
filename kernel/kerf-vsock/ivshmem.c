// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ivshmem-doorbell link: a PCI device of QEMU (docs/specs/ivshmem-spec.txt there). BAR 0 has
 * the registers, BAR 2 is the shared memory, MSI-X vectors are the doorbells. IVPosition is 0 for
 * the host and the instance id for an instance: the device says which role it is for.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "kerf_vsock.h"

#define KERF_IVSHMEM_VENDOR 0x1af4
#define KERF_IVSHMEM_DEVICE 0x1110

#define KERF_IVSHMEM_REGISTERS 0
#define KERF_IVSHMEM_MEMORY 2
#define KERF_IVSHMEM_POSITION 8
#define KERF_IVSHMEM_DOORBELL 12

struct kerf_ivshmem {
	struct kerf_link *link;
	void __iomem *registers;
	int vectors;
};

static void kerf_ivshmem_kick(struct kerf_link *link, u32 vector)
{
	struct kerf_ivshmem *dev = link->bus;

	/* writel() is ordered after the stores to the memory. */
	writel(READ_ONCE(link->peer_id) << 16 | vector, dev->registers + KERF_IVSHMEM_DOORBELL);
}

static const struct kerf_link_ops kerf_ivshmem_ops = {
	.kick = kerf_ivshmem_kick,
};

static irqreturn_t kerf_ivshmem_irq(int irq, void *data)
{
	kerf_link_interrupt(data);
	return IRQ_HANDLED;
}

static void kerf_ivshmem_free_irqs(struct pci_dev *pdev, struct kerf_ivshmem *dev, int n)
{
	while (n--)
		free_irq(pci_irq_vector(pdev, n), dev->link);
	pci_free_irq_vectors(pdev);
}

static int kerf_ivshmem_request_irqs(struct pci_dev *pdev, struct kerf_ivshmem *dev)
{
	int ret, n;

	dev->vectors = pci_alloc_irq_vectors(pdev, 1, KERF_VECTORS, PCI_IRQ_MSIX);
	if (dev->vectors < 0)
		return dev_err_probe(&pdev->dev, dev->vectors,
				     "no MSI-X; the device has to be ivshmem-doorbell\n");
	for (n = 0; n < dev->vectors; n++) {
		ret = request_irq(pci_irq_vector(pdev, n), kerf_ivshmem_irq, 0, "kerf-vsock",
				  dev->link);
		if (ret) {
			kerf_ivshmem_free_irqs(pdev, dev, n);
			return ret;
		}
	}
	return 0;
}

static int kerf_ivshmem_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	resource_size_t bytes = pci_resource_len(pdev, KERF_IVSHMEM_MEMORY);
	struct kerf_ivshmem *dev;
	u32 position;
	void *shm;
	int ret;

	dev = devm_kzalloc(&pdev->dev, sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_region(pdev, KERF_IVSHMEM_MEMORY, "kerf-vsock");
	if (ret)
		return ret;
	pci_set_master(pdev);

	if (bytes < KERF_SHM_MIN_BYTES || bytes > KERF_SHM_MAX_BYTES)
		return dev_err_probe(&pdev->dev, -EINVAL,
				     "%llu bytes of shared memory; %u to %u are wanted\n",
				     (u64)bytes, KERF_SHM_MIN_BYTES, KERF_SHM_MAX_BYTES);
	dev->registers = pcim_iomap(pdev, KERF_IVSHMEM_REGISTERS, 0);
	if (!dev->registers)
		return -EIO;
	shm = devm_memremap(&pdev->dev, pci_resource_start(pdev, KERF_IVSHMEM_MEMORY), bytes,
			    MEMREMAP_WB);
	if (IS_ERR(shm))
		return PTR_ERR(shm);
	position = readl(dev->registers + KERF_IVSHMEM_POSITION);
	if (position > KERF_MAX_ID)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "no position; the device has to be ivshmem-doorbell\n");

	dev->link = kerf_link_new(&kerf_ivshmem_ops, dev, pci_name(pdev), shm, bytes,
				  position ? 1 : 0, position);
	if (IS_ERR(dev->link))
		return PTR_ERR(dev->link);
	ret = kerf_ivshmem_request_irqs(pdev, dev);
	if (ret)
		goto no_irqs;
	pci_set_drvdata(pdev, dev);
	ret = kerf_link_start(dev->link, dev->vectors);
	if (ret)
		goto not_started;
	pci_info(pdev, "kerf-vsock: %s, CID %u, %llu KiB shared\n", position ? "instance" : "host",
		 kerf_own_cid(dev->link), (u64)bytes >> 10);
	return 0;

not_started:
	kerf_ivshmem_free_irqs(pdev, dev, dev->vectors);
no_irqs:
	kerf_link_free(dev->link);
	return ret;
}

static void kerf_ivshmem_remove(struct pci_dev *pdev)
{
	struct kerf_ivshmem *dev = pci_get_drvdata(pdev);

	if (!dev)
		return; /* shut down before */
	pci_set_drvdata(pdev, NULL);
	kerf_link_quiesce(dev->link);
	kerf_ivshmem_free_irqs(pdev, dev, dev->vectors);
	kerf_link_free(dev->link);
}

/* Reboot and kexec: the memory survives us, so the other side is told. */
static void kerf_ivshmem_shutdown(struct pci_dev *pdev)
{
	kerf_ivshmem_remove(pdev);
	pci_disable_device(pdev);
}

static const struct pci_device_id kerf_ivshmem_ids[] = {
	{ PCI_DEVICE(KERF_IVSHMEM_VENDOR, KERF_IVSHMEM_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, kerf_ivshmem_ids);

static struct pci_driver kerf_ivshmem_driver = {
	.name = "kerf-vsock",
	.id_table = kerf_ivshmem_ids,
	.probe = kerf_ivshmem_probe,
	.remove = kerf_ivshmem_remove,
	.shutdown = kerf_ivshmem_shutdown,
};

int kerf_ivshmem_init(void)
{
	return pci_register_driver(&kerf_ivshmem_driver);
}

void kerf_ivshmem_exit(void)
{
	pci_unregister_driver(&kerf_ivshmem_driver);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * railstub: the devices and the commands that change them.
 *
 *	echo "PORT KEY VALUE [KEY VALUE]..." > /sys/module/railstub/parameters/set
 *
 * PORT is the number in the device's name at first. What one line says happens at once. Keys: state,
 * phys, width, speed (numbers as in ib_verbs.h), lid, sm_lid, pkey1 to pkey3, reset (all
 * counters to 0), a counter by its name in sysfs (its value), and that name with "/s" (what
 * it gains per second).
 */

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include "railstub.h"

DEFINE_SPINLOCK(stub_lock);
struct stub_device *stub_devices[STUB_PORTS];

/* Serialises commands, and commands with the end of a device. */
static DEFINE_MUTEX(commands);

static const char *const name = "stub%d";
static int ports = STUB_PORTS;
module_param(ports, int, 0444);
MODULE_PARM_DESC(ports, "number of devices, 1 to 4");

static int query_device(struct ib_device *ib, struct ib_device_attr *attr, struct ib_udata *udata)
{
	memset(attr, 0, sizeof(*attr));
	attr->fw_ver = 20ULL << 32 | 43 << 16 | 1014;
	attr->sys_image_guid = cpu_to_be64(to_stub(ib)->guid);
	attr->max_mr_size = ~0ULL;
	attr->page_size_cap = PAGE_SIZE;
	attr->max_qp = 1024;
	attr->max_qp_wr = 8192;
	attr->device_cap_flags = IB_DEVICE_SYS_IMAGE_GUID;
	attr->max_send_sge = 4;
	attr->max_recv_sge = 4;
	attr->max_cq = 1024;
	attr->max_cqe = 65535;
	attr->max_mr = 1024;
	attr->max_pd = 1024;
	attr->max_qp_rd_atom = 16;
	attr->max_mcast_grp = 128;
	attr->max_ah = 65535;
	attr->max_pkeys = STUB_PKEYS;
	attr->local_ca_ack_delay = 16;
	return 0;
}

static int query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	struct stub_device *dev = to_stub(ib);
	unsigned long irq;

	spin_lock_irqsave(&stub_lock, irq);
	attr->state = dev->state;
	attr->phys_state = dev->phys;
	attr->active_width = dev->width;
	attr->active_speed = dev->speed;
	attr->lid = dev->lid;
	attr->sm_lid = dev->sm_lid;
	spin_unlock_irqrestore(&stub_lock, irq);
	attr->max_mtu = IB_MTU_4096;
	attr->active_mtu = IB_MTU_4096;
	attr->gid_tbl_len = 1;
	attr->pkey_tbl_len = STUB_PKEYS;
	attr->port_cap_flags = 0x2651e848; /* as a port of an adapter of today shows */
	attr->max_msg_sz = 0x40000000;
	attr->max_vl_num = 4;
	attr->subnet_timeout = 18;
	return 0;
}

static int modify_port(struct ib_device *ib, u32 port, int mask, struct ib_port_modify *modify)
{
	return 0;
}

static int query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	if (index >= STUB_PKEYS)
		return -EINVAL;
	*pkey = to_stub(ib)->pkeys[index];
	return 0;
}

static int query_gid(struct ib_device *ib, u32 port, int index, union ib_gid *gid)
{
	if (index)
		return -EINVAL;
	gid->global.subnet_prefix = cpu_to_be64(0xfe80000000000000ULL);
	gid->global.interface_id = cpu_to_be64(to_stub(ib)->guid);
	return 0;
}

static enum rdma_link_layer get_link_layer(struct ib_device *ib, u32 port)
{
	return IB_LINK_LAYER_INFINIBAND;
}

static int get_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable)
{
	immutable->pkey_tbl_len = STUB_PKEYS;
	immutable->gid_tbl_len = 1;
	immutable->core_cap_flags = RDMA_CORE_PORT_IBA_IB;
	immutable->max_mad_size = IB_MGMT_MAD_SIZE;
	return 0;
}

static void get_dev_fw_str(struct ib_device *ib, char *text)
{
	snprintf(text, IB_FW_VERSION_NAME_MAX, "20.43.1014");
}

static ssize_t hca_type_show(struct device *device, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "STUB1\n");
}
static DEVICE_ATTR_RO(hca_type);

static ssize_t hw_rev_show(struct device *device, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "0\n");
}
static DEVICE_ATTR_RO(hw_rev);

static ssize_t board_id_show(struct device *device, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "STUB_0000000001\n");
}
static DEVICE_ATTR_RO(board_id);

static struct attribute *attributes[] = {
	&dev_attr_hca_type.attr,
	&dev_attr_hw_rev.attr,
	&dev_attr_board_id.attr,
	NULL,
};

static const struct attribute_group attribute_group = {
	.attrs = attributes,
};

static const struct ib_device_ops device_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.uverbs_abi_ver = 1,
	.device_group = &attribute_group,
	.get_dev_fw_str = get_dev_fw_str,
	.get_link_layer = get_link_layer,
	.get_port_immutable = get_port_immutable,
	.modify_port = modify_port,
	.process_mad = stub_process_mad,
	.query_device = query_device,
	.query_gid = query_gid,
	.query_pkey = query_pkey,
	.query_port = query_port,
};

/* One KEY VALUE. */
static int set_one(struct stub_device *dev, const char *key, u64 n)
{
	unsigned int pkey;
	char end;

	if (!strcmp(key, "state")) {
		if (n == IB_PORT_DOWN && dev->state > IB_PORT_DOWN)
			stub_counter_add(dev, STUB_DOWNED, 1);
		dev->state = n;
	} else if (!strcmp(key, "phys")) {
		dev->phys = n;
	} else if (!strcmp(key, "width")) {
		dev->width = n;
	} else if (!strcmp(key, "speed")) {
		dev->speed = n;
	} else if (!strcmp(key, "lid")) {
		dev->lid = n;
	} else if (!strcmp(key, "sm_lid")) {
		dev->sm_lid = n;
	} else if (sscanf(key, "pkey%u%c", &pkey, &end) == 1 && pkey && pkey < STUB_PKEYS) {
		dev->pkeys[pkey] = n;
	} else if (!strcmp(key, "reset")) {
		stub_counters_reset(dev);
	} else {
		return stub_counter_command(dev, key, n);
	}
	return 0;
}

static void announce(struct stub_device *dev, enum ib_event_type type)
{
	struct ib_event event = {
		.device = &dev->ib,
		.element.port_num = 1,
		.event = type,
	};

	ib_dispatch_event(&event);
}

static int command(struct stub_device *dev, char *rest)
{
	u8 state = dev->state;
	u16 lid = dev->lid, sm_lid = dev->sm_lid, pkeys[STUB_PKEYS];
	char *key, *value;
	unsigned long irq;
	int result = 0;
	u64 n;

	memcpy(pkeys, dev->pkeys, sizeof(pkeys));
	spin_lock_irqsave(&stub_lock, irq);
	while (!result && (key = strsep(&rest, " ")) != NULL) {
		value = strsep(&rest, " ");
		result = value ? kstrtou64(value, 0, &n) : -EINVAL;
		if (!result)
			result = set_one(dev, key, n);
	}
	spin_unlock_irqrestore(&stub_lock, irq);

	if (dev->lid != lid)
		announce(dev, IB_EVENT_LID_CHANGE);
	if (dev->sm_lid != sm_lid)
		announce(dev, IB_EVENT_SM_CHANGE);
	if (memcmp(dev->pkeys, pkeys, sizeof(pkeys)))
		announce(dev, IB_EVENT_PKEY_CHANGE);
	if (dev->state != state && dev->state == IB_PORT_ACTIVE)
		announce(dev, IB_EVENT_PORT_ACTIVE);
	else if (dev->state != state && state == IB_PORT_ACTIVE)
		announce(dev, IB_EVENT_PORT_ERR);
	return result;
}

static int set_command(const char *text, const struct kernel_param *param)
{
	char *line = kstrdup(text, GFP_KERNEL), *rest, *port;
	unsigned int index;
	int result;

	if (!line)
		return -ENOMEM;
	rest = strim(line);
	port = strsep(&rest, " ");
	result = kstrtouint(port, 10, &index);
	mutex_lock(&commands);
	if (!result && (index >= STUB_PORTS || !stub_devices[index] || !rest))
		result = -EINVAL;
	if (!result)
		result = command(stub_devices[index], rest);
	mutex_unlock(&commands);
	kfree(line);
	return result;
}

static const struct kernel_param_ops set_ops = {
	.set = set_command,
};
module_param_cb(set, &set_ops, NULL, 0200);

static void init(struct stub_device *dev, int index)
{
	dev->guid = STUB_GUID + index;
	dev->state = IB_PORT_ACTIVE;
	dev->phys = IB_PORT_PHYS_STATE_LINK_UP;
	dev->width = IB_WIDTH_4X;
	dev->speed = IB_SPEED_HDR;
	dev->lid = 10 + index;
	dev->sm_lid = 1;
	dev->pkeys[0] = 0xffff;
	dev->pkeys[1] = 0x8001;
	dev->ib.phys_port_cnt = 1;
	dev->ib.num_comp_vectors = 1;
	dev->ib.node_type = RDMA_NODE_IB_CA;
	dev->ib.node_guid = cpu_to_be64(dev->guid);
	snprintf(dev->ib.node_desc, sizeof(dev->ib.node_desc), "stub HCA-%d", index + 1);
	ib_set_device_ops(&dev->ib, &device_ops);
	ib_set_device_ops(&dev->ib, &stub_fabric_ops);
}

/* Where a device of this function is or would be: its place on the bus decides. */
static int index_of(struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;
	int index = 0;

	while ((other = pci_get_device(pdev->vendor, pdev->device, other)) && other != pdev)
		index++;
	pci_dev_put(other);
	return index;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct stub_device *dev;
	unsigned long irq;
	int index = index_of(pdev), result;

	if (index >= ports)
		return -ENODEV;
	dev = ib_alloc_device(stub_device, ib);
	if (!dev)
		return -ENOMEM;
	init(dev, index);
	dev->ib.dev.parent = &pdev->dev;
	result = ib_register_device(&dev->ib, name, NULL);
	if (result) {
		ib_dealloc_device(&dev->ib);
		return result;
	}
	pci_set_drvdata(pdev, dev);
	mutex_lock(&commands);
	spin_lock_irqsave(&stub_lock, irq);
	stub_devices[index] = dev;
	spin_unlock_irqrestore(&stub_lock, irq);
	mutex_unlock(&commands);
	return 0;
}

static void remove(struct pci_dev *pdev)
{
	struct stub_device *dev = pci_get_drvdata(pdev);
	unsigned long irq;

	mutex_lock(&commands);
	spin_lock_irqsave(&stub_lock, irq);
	stub_devices[index_of(pdev)] = NULL;
	spin_unlock_irqrestore(&stub_lock, irq);
	mutex_unlock(&commands);
	ib_unregister_device(&dev->ib);
	ib_dealloc_device(&dev->ib);
}

/* QEMU's pci-testdev: a function that does nothing, to be the adapter in the tree of devices. */
static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1b36, 0x0005) },
	{}
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = {
	.name = "railstub",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
};

static int __init start(void)
{
	if (ports < 1 || ports > STUB_PORTS)
		return -EINVAL;
	return pci_register_driver(&driver);
}

static void __exit stop(void)
{
	pci_unregister_driver(&driver);
}

module_init(start);
module_exit(stop);
MODULE_DESCRIPTION("RDMA ports of link layer InfiniBand without hardware, for tests");
MODULE_LICENSE("GPL");

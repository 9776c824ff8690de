/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * railstub: an RDMA provider without hardware whose link layer is InfiniBand.
 *
 * No device of the kernel's own software providers has that link layer (rxe and siw are
 * Ethernet), so without an adapter the kernel never makes an IPoIB interface or the sysfs
 * files of an InfiniBand port. This module is the least that lets it: ib_core, ib_umad and
 * ib_ipoib above it are the kernel's own. For tests in a virtual machine only.
 */
#ifndef RAILSTUB_H
#define RAILSTUB_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_verbs.h>

#define STUB_PORTS 4
#define STUB_PKEYS 4
#define STUB_GUID 0x0200000000fa1000ULL

/* The counters of a port, named as in sysfs. */
enum stub_counter_id {
	STUB_XMIT_DATA,
	STUB_RCV_DATA,
	STUB_XMIT_PACKETS,
	STUB_RCV_PACKETS,
	STUB_SYMBOL_ERROR,
	STUB_ERROR_RECOVERY,
	STUB_DOWNED,
	STUB_RCV_ERRORS,
	STUB_RCV_REMPHYS,
	STUB_RCV_RELAY,
	STUB_XMIT_DISCARDS,
	STUB_XMIT_CONSTRAINT,
	STUB_RCV_CONSTRAINT,
	STUB_INTEGRITY,
	STUB_OVERRUN,
	STUB_VL15_DROPPED,
	STUB_XMIT_WAIT,
	STUB_COUNTERS
};

/* base, and since then `pace` per second: nothing runs while nobody looks. */
struct stub_counter {
	u64 base;
	u64 pace;
	ktime_t since;
};

/* One adapter with one port. */
struct stub_device {
	struct ib_device ib;
	u64 guid;
	u8 state;
	u8 phys;
	u8 width;
	u16 speed;
	u16 lid;
	u16 sm_lid;
	u16 pkeys[STUB_PKEYS];
	struct stub_counter counters[STUB_COUNTERS];
};

static inline struct stub_device *to_stub(struct ib_device *ib)
{
	return container_of(ib, struct stub_device, ib);
}

/* One lock for everything here: queues, states, counters. Speed is not the point. */
extern spinlock_t stub_lock;
/* Index is the number in the device's name; entries are NULL before and after their life. */
extern struct stub_device *stub_devices[STUB_PORTS];

/* counters.c; the caller holds stub_lock */
u64 stub_counter_value(const struct stub_device *dev, enum stub_counter_id id);
void stub_counter_add(struct stub_device *dev, enum stub_counter_id id, u64 n);
void stub_counters_reset(struct stub_device *dev);
/* "NAME" sets the value, "NAME/s" the pace. */
int stub_counter_command(struct stub_device *dev, const char *key, u64 n);
/* counters.c; takes stub_lock */
int stub_process_mad(struct ib_device *ib, int flags, u32 port, const struct ib_wc *wc,
		     const struct ib_grh *grh, const struct ib_mad *in, struct ib_mad *out,
		     size_t *out_size, u16 *out_pkey_index);

/*
 * manager.c: answers the subnet administrator's request in `mad` (256 bytes) in place; false
 * if there is no answer. The caller holds stub_lock.
 */
bool stub_manager_answers(struct stub_device *dev, u8 *mad);

/* fabric.c: queues and what moves between them */
extern const struct ib_device_ops stub_fabric_ops;

#endif

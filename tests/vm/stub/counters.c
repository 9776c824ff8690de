// SPDX-License-Identifier: GPL-2.0-only
/* railstub: port counters, read by the kernel as performance management packets. */

#include <linux/math64.h>
#include <linux/string.h>
#include <rdma/ib_pma.h>
#include "railstub.h"

static const char *const names[STUB_COUNTERS] = {
	[STUB_XMIT_DATA] = "port_xmit_data",
	[STUB_RCV_DATA] = "port_rcv_data",
	[STUB_XMIT_PACKETS] = "port_xmit_packets",
	[STUB_RCV_PACKETS] = "port_rcv_packets",
	[STUB_SYMBOL_ERROR] = "symbol_error",
	[STUB_ERROR_RECOVERY] = "link_error_recovery",
	[STUB_DOWNED] = "link_downed",
	[STUB_RCV_ERRORS] = "port_rcv_errors",
	[STUB_RCV_REMPHYS] = "port_rcv_remote_physical_errors",
	[STUB_RCV_RELAY] = "port_rcv_switch_relay_errors",
	[STUB_XMIT_DISCARDS] = "port_xmit_discards",
	[STUB_XMIT_CONSTRAINT] = "port_xmit_constraint_errors",
	[STUB_RCV_CONSTRAINT] = "port_rcv_constraint_errors",
	[STUB_INTEGRITY] = "local_link_integrity_errors",
	[STUB_OVERRUN] = "excessive_buffer_overrun_errors",
	[STUB_VL15_DROPPED] = "VL15_dropped",
	[STUB_XMIT_WAIT] = "port_xmit_wait",
};

u64 stub_counter_value(const struct stub_device *dev, enum stub_counter_id id)
{
	const struct stub_counter *c = &dev->counters[id];

	if (!c->pace)
		return c->base;
	return c->base + mul_u64_u64_div_u64(c->pace, ktime_to_ns(ktime_sub(ktime_get(), c->since)),
					     NSEC_PER_SEC);
}

static void set(struct stub_counter *c, u64 base, u64 pace)
{
	c->base = base;
	c->pace = pace;
	c->since = ktime_get();
}

void stub_counter_add(struct stub_device *dev, enum stub_counter_id id, u64 n)
{
	dev->counters[id].base += n;
}

void stub_counters_reset(struct stub_device *dev)
{
	int i;

	for (i = 0; i < STUB_COUNTERS; i++)
		set(&dev->counters[i], 0, dev->counters[i].pace);
}

int stub_counter_command(struct stub_device *dev, const char *key, u64 n)
{
	size_t length = strlen(key);
	bool pace = length > 2 && !strcmp(key + length - 2, "/s");
	int i;

	if (pace)
		length -= 2;
	for (i = 0; i < STUB_COUNTERS; i++) {
		if (strlen(names[i]) != length || strncmp(names[i], key, length))
			continue;
		if (pace)
			set(&dev->counters[i], stub_counter_value(dev, i), n);
		else
			set(&dev->counters[i], n, dev->counters[i].pace);
		return 0;
	}
	return -EINVAL;
}

/* As the standard wants it: a counter stays at the largest value its field can hold. */
static u64 within(const struct stub_device *dev, enum stub_counter_id id, unsigned int bits)
{
	return min_t(u64, stub_counter_value(dev, id), (1ULL << bits) - 1);
}

static void narrow(const struct stub_device *dev, struct ib_pma_portcounters *p)
{
	p->symbol_error_counter = cpu_to_be16(within(dev, STUB_SYMBOL_ERROR, 16));
	p->link_error_recovery_counter = within(dev, STUB_ERROR_RECOVERY, 8);
	p->link_downed_counter = within(dev, STUB_DOWNED, 8);
	p->port_rcv_errors = cpu_to_be16(within(dev, STUB_RCV_ERRORS, 16));
	p->port_rcv_remphys_errors = cpu_to_be16(within(dev, STUB_RCV_REMPHYS, 16));
	p->port_rcv_switch_relay_errors = cpu_to_be16(within(dev, STUB_RCV_RELAY, 16));
	p->port_xmit_discards = cpu_to_be16(within(dev, STUB_XMIT_DISCARDS, 16));
	p->port_xmit_constraint_errors = within(dev, STUB_XMIT_CONSTRAINT, 8);
	p->port_rcv_constraint_errors = within(dev, STUB_RCV_CONSTRAINT, 8);
	p->link_overrun_errors = within(dev, STUB_INTEGRITY, 4) << 4 | within(dev, STUB_OVERRUN, 4);
	p->vl15_dropped = cpu_to_be16(within(dev, STUB_VL15_DROPPED, 16));
	p->port_xmit_data = cpu_to_be32(within(dev, STUB_XMIT_DATA, 32));
	p->port_rcv_data = cpu_to_be32(within(dev, STUB_RCV_DATA, 32));
	p->port_xmit_packets = cpu_to_be32(within(dev, STUB_XMIT_PACKETS, 32));
	p->port_rcv_packets = cpu_to_be32(within(dev, STUB_RCV_PACKETS, 32));
	p->port_xmit_wait = cpu_to_be32(within(dev, STUB_XMIT_WAIT, 32));
}

static void wide(const struct stub_device *dev, struct ib_pma_portcounters_ext *p)
{
	p->port_xmit_data = cpu_to_be64(stub_counter_value(dev, STUB_XMIT_DATA));
	p->port_rcv_data = cpu_to_be64(stub_counter_value(dev, STUB_RCV_DATA));
	p->port_xmit_packets = cpu_to_be64(stub_counter_value(dev, STUB_XMIT_PACKETS));
	p->port_rcv_packets = cpu_to_be64(stub_counter_value(dev, STUB_RCV_PACKETS));
	p->port_unicast_xmit_packets = p->port_xmit_packets;
	p->port_unicast_rcv_packets = p->port_rcv_packets;
}

int stub_process_mad(struct ib_device *ib, int flags, u32 port, const struct ib_wc *wc,
		     const struct ib_grh *grh, const struct ib_mad *in, struct ib_mad *out,
		     size_t *out_size, u16 *out_pkey_index)
{
	struct stub_device *dev = to_stub(ib);
	struct ib_pma_mad *pma = (struct ib_pma_mad *)out;
	int result = IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_REPLY;
	unsigned long irq;

	if (in->mad_hdr.mgmt_class != IB_MGMT_CLASS_PERF_MGMT ||
	    in->mad_hdr.method != IB_MGMT_METHOD_GET)
		return IB_MAD_RESULT_SUCCESS;

	memset(out, 0, sizeof(*out));
	out->mad_hdr = in->mad_hdr;
	out->mad_hdr.method = IB_MGMT_METHOD_GET_RESP;
	out->mad_hdr.status = 0;
	spin_lock_irqsave(&stub_lock, irq);
	if (in->mad_hdr.attr_id == IB_PMA_CLASS_PORT_INFO)
		((struct ib_class_port_info *)pma->data)->capability_mask =
			IB_PMA_CLASS_CAP_EXT_WIDTH;
	else if (in->mad_hdr.attr_id == IB_PMA_PORT_COUNTERS)
		narrow(dev, (struct ib_pma_portcounters *)pma->data);
	else if (in->mad_hdr.attr_id == IB_PMA_PORT_COUNTERS_EXT)
		wide(dev, (struct ib_pma_portcounters_ext *)pma->data);
	else
		result = IB_MAD_RESULT_SUCCESS;
	spin_unlock_irqrestore(&stub_lock, irq);
	return result;
}

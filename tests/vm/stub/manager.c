// SPDX-License-Identifier: GPL-2.0-only
/*
 * railstub: as much of a subnet administrator as IPoIB asks for. Everyone may join every
 * multicast group, and everyone finds a path to every port. The layouts are those of the
 * InfiniBand Architecture Specification, volume 1, 15.2.5 (path and multicast member records).
 */

#include <asm/unaligned.h>
#include <linux/string.h>
#include <rdma/ib_sa.h>
#include "railstub.h"

#define SA_DATA 56 /* the record begins after the MAD, RMPP and SA headers */
#define EXACTLY 0x80 /* selector "exactly" before MTU, rate and lifetime */
#define METHOD_DELETE 0x15
#define METHOD_DELETE_RESP 0x95
#define LIFETIME 18 /* 4.096 us * 2^18: about one second */
#define QKEY 0x00000b1b

/* PortGID, QKey, MLID, MTU, TClass, PKey, rate, lifetime, SL+flow+hops, scope+state */
static void join(u8 *record)
{
	put_unaligned_be32(QKEY, record + 32);
	/* Any multicast LID will do: the fabric here delivers by the group's GID. */
	put_unaligned_be16(0xc000 | (get_unaligned_be16(record + 14) & 0xfff), record + 36);
	record[38] = EXACTLY | IB_MTU_2048;
	if (!get_unaligned_be16(record + 40))
		put_unaligned_be16(0xffff, record + 40);
	record[42] = EXACTLY | IB_RATE_10_GBPS;
	record[43] = EXACTLY | LIFETIME;
	record[48] = 0x20 | (record[48] & 0x0f); /* scope: link-local */
}

static bool path(struct stub_device *dev, u8 *record)
{
	u64 wanted = get_unaligned_be64(record + 16); /* the second half of DGID */
	int i;

	for (i = 0; i < STUB_PORTS; i++) {
		struct stub_device *to = stub_devices[i];

		if (!to || to->guid != wanted || to->state != IB_PORT_ACTIVE)
			continue;
		put_unaligned_be16(to->lid, record + 40);
		put_unaligned_be16(dev->lid, record + 42);
		record[49] = 0x80 | 1; /* reversible, one path */
		if (!get_unaligned_be16(record + 50))
			put_unaligned_be16(0xffff, record + 50);
		record[54] = EXACTLY | IB_MTU_2048;
		record[55] = EXACTLY | IB_RATE_10_GBPS;
		record[56] = EXACTLY | LIFETIME;
		return true;
	}
	return false;
}

bool stub_manager_answers(struct stub_device *dev, u8 *mad)
{
	struct ib_mad_hdr *header = (struct ib_mad_hdr *)mad;
	bool leave = header->method == METHOD_DELETE;

	if (dev->state != IB_PORT_ACTIVE || !dev->sm_lid)
		return false;
	if (header->mgmt_class != IB_MGMT_CLASS_SUBN_ADM || header->method & IB_MGMT_METHOD_RESP)
		return false;

	header->status = 0;
	switch (be16_to_cpu(header->attr_id)) {
	case IB_SA_ATTR_MC_MEMBER_REC:
		if (!leave)
			join(mad + SA_DATA);
		break;
	case IB_SA_ATTR_PATH_REC:
		if (!path(dev, mad + SA_DATA))
			header->status = cpu_to_be16(3 << 8); /* no records */
		break;
	default: /* class port info: zeroes, no optional capability */
		memset(mad + SA_DATA, 0, IB_MGMT_SA_DATA);
	}
	header->method = leave ? METHOD_DELETE_RESP : IB_MGMT_METHOD_GET_RESP;
	return true;
}

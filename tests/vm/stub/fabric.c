// SPDX-License-Identifier: GPL-2.0-only
/*
 * railstub: queue pairs, completion queues, and a fabric that carries datagrams between the
 * ports of this module. Reliable connections can be made but carry nothing.
 *
 * The device has no DMA device, so every address in a scatter list is the kernel's own
 * virtual address.
 */

#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include "railstub.h"

#define GRH 40
#define GSI 1
#define MULTICAST_QPN 0xffffff
#define LARGEST 4096
#define SGES 4

struct stub_cq {
	struct ib_cq ib;
	struct list_head done;
	bool armed;
};

struct stub_done {
	struct list_head list;
	struct ib_wc wc;
};

struct stub_recv {
	struct list_head list;
	u64 wr_id;
	int sges;
	struct ib_sge sge[SGES];
};

struct stub_group {
	struct list_head list;
	union ib_gid gid;
};

struct stub_qp {
	struct ib_qp ib;
	struct list_head all;
	struct list_head recvs;
	struct list_head groups;
	enum ib_qp_state state;
	struct ib_qp_init_attr init;
	struct ib_qp_attr attr;
};

struct stub_ah {
	struct ib_ah ib;
	struct rdma_ah_attr attr;
};

struct stub_pd {
	struct ib_pd ib;
};

struct stub_ucontext {
	struct ib_ucontext ib;
};

static LIST_HEAD(qps);
static u32 next_qpn = 0x40;

static struct stub_qp *to_qp(struct ib_qp *ib)
{
	return container_of(ib, struct stub_qp, ib);
}

static struct stub_cq *to_cq(struct ib_cq *ib)
{
	return container_of(ib, struct stub_cq, ib);
}

/* The handlers of the kernel's users only schedule work, so the lock may be held. */
static void finish(struct ib_cq *ib, const struct ib_wc *wc)
{
	struct stub_cq *cq = to_cq(ib);
	struct stub_done *done = kmalloc(sizeof(*done), GFP_ATOMIC);

	if (!done)
		return;
	done->wc = *wc;
	list_add_tail(&done->list, &cq->done);
	if (cq->armed && ib->comp_handler) {
		cq->armed = false;
		ib->comp_handler(ib, ib->cq_context);
	}
}

/* Gives `data` to a waiting receive of `qp`, behind a global route header. */
static void deliver(struct stub_qp *qp, const struct ib_grh *grh, const u8 *data, u32 length,
		    u32 src_qp, u16 slid, u16 pkey_index)
{
	struct stub_device *dev = to_stub(qp->ib.device);
	struct stub_recv *recv;
	struct ib_wc wc = {
		.status = IB_WC_SUCCESS,
		.opcode = IB_WC_RECV,
		.byte_len = GRH + length,
		.qp = &qp->ib,
		.src_qp = src_qp,
		.slid = slid,
		.port_num = 1,
		.pkey_index = pkey_index,
		.wc_flags = grh ? IB_WC_GRH : 0,
	};
	u8 head[GRH] = {};
	u32 at = 0;
	int i;

	/* No receive posted: a datagram is dropped, as in the real world. */
	recv = list_first_entry_or_null(&qp->recvs, struct stub_recv, list);
	if (!recv || qp->state == IB_QPS_ERR || qp->state == IB_QPS_RESET)
		return;
	list_del(&recv->list);
	if (grh)
		memcpy(head, grh, GRH);
	for (i = 0; i < recv->sges && at < GRH + length; i++) {
		u8 *to = (u8 *)(uintptr_t)recv->sge[i].addr;
		u32 room = min(recv->sge[i].length, GRH + length - at);
		u32 of_head = at < GRH ? min(room, GRH - at) : 0;

		memcpy(to, head + min_t(u32, at, GRH), of_head);
		memcpy(to + of_head, data + at + of_head - GRH, room - of_head);
		at += room;
	}
	wc.wr_id = recv->wr_id;
	kfree(recv);
	stub_counter_add(dev, STUB_RCV_DATA, length / 4);
	stub_counter_add(dev, STUB_RCV_PACKETS, 1);
	finish(qp->ib.recv_cq, &wc);
}

static bool joined(const struct stub_qp *qp, const union ib_gid *gid)
{
	const struct stub_group *group;

	list_for_each_entry(group, &qp->groups, list)
		if (!memcmp(&group->gid, gid, sizeof(*gid)))
			return true;
	return false;
}

static u16 pkey_of(const struct stub_qp *qp)
{
	u16 index = qp->attr.pkey_index;

	return index < STUB_PKEYS ? to_stub(qp->ib.device)->pkeys[index] & 0x7fff : 0;
}

/* A datagram from `qp` on its way: to the manager, to a group, or to one queue pair. */
static void carry(struct stub_qp *qp, const struct ib_ud_wr *wr, u8 *data, u32 length)
{
	struct stub_device *from = to_stub(qp->ib.device);
	const struct rdma_ah_attr *ah = &container_of(wr->ah, struct stub_ah, ib)->attr;
	bool routed = rdma_ah_get_ah_flags(ah) & IB_AH_GRH;
	u16 dlid = rdma_ah_get_dlid(ah);
	struct ib_grh grh = {};
	struct stub_qp *to;

	if (from->state != IB_PORT_ACTIVE)
		return;
	if (routed) {
		grh.version_tclass_flow = cpu_to_be32(6 << 28);
		grh.paylen = cpu_to_be16(length);
		grh.next_hdr = 0x1b;
		grh.hop_limit = rdma_ah_read_grh(ah)->hop_limit;
		grh.sgid.global.subnet_prefix = cpu_to_be64(0xfe80000000000000ULL);
		grh.sgid.global.interface_id = cpu_to_be64(from->guid);
		grh.dgid = rdma_ah_read_grh(ah)->dgid;
	}
	if (wr->remote_qpn == GSI && dlid == from->sm_lid && length == IB_MGMT_MAD_SIZE) {
		if (stub_manager_answers(from, data))
			deliver(qp, NULL, data, length, GSI, from->sm_lid, 0);
		return;
	}
	list_for_each_entry(to, &qps, all) {
		struct stub_device *dev = to_stub(to->ib.device);

		if (dev->state != IB_PORT_ACTIVE)
			continue;
		if (wr->remote_qpn == MULTICAST_QPN) {
			if (to != qp && routed && joined(to, &grh.dgid) &&
			    pkey_of(to) == pkey_of(qp))
				deliver(to, &grh, data, length, qp->ib.qp_num, from->lid,
					to->attr.pkey_index);
		} else if (to->ib.qp_num == wr->remote_qpn && dev->lid == dlid) {
			deliver(to, routed ? &grh : NULL, data, length, qp->ib.qp_num,
				from->lid, to->attr.pkey_index);
			return;
		}
	}
}

static int post_send(struct ib_qp *ib, const struct ib_send_wr *wr, const struct ib_send_wr **bad)
{
	struct stub_qp *qp = to_qp(ib);
	struct stub_device *dev = to_stub(ib->device);
	bool datagram = ib->qp_type == IB_QPT_UD || ib->qp_type == IB_QPT_GSI;
	u8 *data = kmalloc(LARGEST, GFP_ATOMIC);
	unsigned long irq;

	if (!data) {
		*bad = wr;
		return -ENOMEM;
	}
	spin_lock_irqsave(&stub_lock, irq);
	for (; wr; wr = wr->next) {
		bool dead = qp->state == IB_QPS_ERR;
		struct ib_wc wc = {
			.wr_id = wr->wr_id,
			.status = dead ? IB_WC_WR_FLUSH_ERR : IB_WC_SUCCESS,
			.opcode = IB_WC_SEND,
			.qp = ib,
		};
		u32 length = 0;
		int i;

		for (i = 0; i < wr->num_sge; i++) {
			const struct ib_sge *sge = &wr->sg_list[i];

			if (length + sge->length > LARGEST)
				break;
			memcpy(data + length, (void *)(uintptr_t)sge->addr, sge->length);
			length += sge->length;
		}
		finish(ib->send_cq, &wc);
		if (dead)
			continue;
		stub_counter_add(dev, STUB_XMIT_DATA, length / 4);
		stub_counter_add(dev, STUB_XMIT_PACKETS, 1);
		if (datagram)
			carry(qp, ud_wr(wr), data, length);
	}
	spin_unlock_irqrestore(&stub_lock, irq);
	kfree(data);
	return 0;
}

static void flush(struct stub_qp *qp, u64 wr_id)
{
	struct ib_wc wc = {
		.wr_id = wr_id,
		.status = IB_WC_WR_FLUSH_ERR,
		.opcode = IB_WC_RECV,
		.qp = &qp->ib,
	};

	finish(qp->ib.recv_cq, &wc);
}

static int post_recv(struct ib_qp *ib, const struct ib_recv_wr *wr, const struct ib_recv_wr **bad)
{
	struct stub_qp *qp = to_qp(ib);
	unsigned long irq;
	int result = 0;

	spin_lock_irqsave(&stub_lock, irq);
	for (; wr; wr = wr->next) {
		struct stub_recv *recv;

		if (qp->state == IB_QPS_ERR) {
			flush(qp, wr->wr_id);
			continue;
		}
		recv = wr->num_sge <= SGES ? kmalloc(sizeof(*recv), GFP_ATOMIC) : NULL;
		if (!recv) {
			*bad = wr;
			result = -ENOMEM;
			break;
		}
		recv->wr_id = wr->wr_id;
		recv->sges = wr->num_sge;
		memcpy(recv->sge, wr->sg_list, wr->num_sge * sizeof(struct ib_sge));
		list_add_tail(&recv->list, &qp->recvs);
	}
	spin_unlock_irqrestore(&stub_lock, irq);
	return result;
}

/* Takes the waiting receives back: to their owner when the queue pair failed. */
static void drop_recvs(struct stub_qp *qp, bool tell)
{
	struct stub_recv *recv, *next;

	list_for_each_entry_safe(recv, next, &qp->recvs, list) {
		if (tell)
			flush(qp, recv->wr_id);
		list_del(&recv->list);
		kfree(recv);
	}
}

static int create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	struct stub_qp *qp = to_qp(ib);
	unsigned long irq;

	INIT_LIST_HEAD(&qp->recvs);
	INIT_LIST_HEAD(&qp->groups);
	qp->state = IB_QPS_RESET;
	qp->init = *init;
	spin_lock_irqsave(&stub_lock, irq);
	ib->qp_num = init->qp_type == IB_QPT_SMI ? 0 :
		     init->qp_type == IB_QPT_GSI ? GSI : next_qpn++;
	list_add_tail(&qp->all, &qps);
	spin_unlock_irqrestore(&stub_lock, irq);
	return 0;
}

static int modify_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask, struct ib_udata *udata)
{
	struct stub_qp *qp = to_qp(ib);
	unsigned long irq;

	spin_lock_irqsave(&stub_lock, irq);
	if (mask & IB_QP_STATE)
		qp->state = attr->qp_state;
	if (mask & IB_QP_PKEY_INDEX)
		qp->attr.pkey_index = attr->pkey_index;
	if (mask & IB_QP_QKEY)
		qp->attr.qkey = attr->qkey;
	if (qp->state == IB_QPS_ERR || qp->state == IB_QPS_RESET)
		drop_recvs(qp, qp->state == IB_QPS_ERR);
	spin_unlock_irqrestore(&stub_lock, irq);
	return 0;
}

static int query_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		    struct ib_qp_init_attr *init)
{
	struct stub_qp *qp = to_qp(ib);

	*attr = qp->attr;
	attr->qp_state = qp->state;
	*init = qp->init;
	return 0;
}

static int destroy_qp(struct ib_qp *ib, struct ib_udata *udata)
{
	struct stub_qp *qp = to_qp(ib);
	struct stub_group *group, *next;
	unsigned long irq;

	spin_lock_irqsave(&stub_lock, irq);
	list_del(&qp->all);
	drop_recvs(qp, false);
	list_for_each_entry_safe(group, next, &qp->groups, list)
		kfree(group);
	spin_unlock_irqrestore(&stub_lock, irq);
	return 0;
}

static int attach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	struct stub_group *group = kmalloc(sizeof(*group), GFP_KERNEL);
	unsigned long irq;

	if (!group)
		return -ENOMEM;
	group->gid = *gid;
	spin_lock_irqsave(&stub_lock, irq);
	list_add_tail(&group->list, &to_qp(ib)->groups);
	spin_unlock_irqrestore(&stub_lock, irq);
	return 0;
}

static int detach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	struct stub_group *group, *next;
	unsigned long irq;

	spin_lock_irqsave(&stub_lock, irq);
	list_for_each_entry_safe(group, next, &to_qp(ib)->groups, list) {
		if (memcmp(&group->gid, gid, sizeof(*gid)))
			continue;
		list_del(&group->list);
		kfree(group);
		break;
	}
	spin_unlock_irqrestore(&stub_lock, irq);
	return 0;
}

static int create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr, struct ib_udata *udata)
{
	INIT_LIST_HEAD(&to_cq(ib)->done);
	ib->cqe = attr->cqe;
	return 0;
}

static int destroy_cq(struct ib_cq *ib, struct ib_udata *udata)
{
	struct stub_done *done, *next;

	list_for_each_entry_safe(done, next, &to_cq(ib)->done, list)
		kfree(done);
	return 0;
}

static int poll_cq(struct ib_cq *ib, int room, struct ib_wc *wc)
{
	struct stub_cq *cq = to_cq(ib);
	unsigned long irq;
	int n = 0;

	spin_lock_irqsave(&stub_lock, irq);
	while (n < room && !list_empty(&cq->done)) {
		struct stub_done *done = list_first_entry(&cq->done, struct stub_done, list);

		list_del(&done->list);
		wc[n++] = done->wc;
		kfree(done);
	}
	spin_unlock_irqrestore(&stub_lock, irq);
	return n;
}

static int req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags flags)
{
	struct stub_cq *cq = to_cq(ib);
	unsigned long irq;
	int missed;

	spin_lock_irqsave(&stub_lock, irq);
	cq->armed = true;
	missed = (flags & IB_CQ_REPORT_MISSED_EVENTS) && !list_empty(&cq->done);
	spin_unlock_irqrestore(&stub_lock, irq);
	return missed;
}

static int create_ah(struct ib_ah *ib, struct rdma_ah_init_attr *init, struct ib_udata *udata)
{
	struct stub_ah *ah = container_of(ib, struct stub_ah, ib);

	ah->attr = *init->ah_attr;
	ah->attr.grh.sgid_attr = NULL; /* its reference is the caller's */
	return 0;
}

static int query_ah(struct ib_ah *ib, struct rdma_ah_attr *attr)
{
	*attr = container_of(ib, struct stub_ah, ib)->attr;
	return 0;
}

static int destroy_ah(struct ib_ah *ib, u32 flags)
{
	return 0;
}

static int alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int alloc_ucontext(struct ib_ucontext *context, struct ib_udata *udata)
{
	return 0;
}

static void dealloc_ucontext(struct ib_ucontext *context)
{
}

static int no_mmap(struct ib_ucontext *context, struct vm_area_struct *vma)
{
	return -EINVAL;
}

static struct ib_mr *get_dma_mr(struct ib_pd *pd, int access)
{
	struct ib_mr *mr = kzalloc(sizeof(*mr), GFP_KERNEL);

	return mr ? mr : ERR_PTR(-ENOMEM);
}

static struct ib_mr *reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 virt, int access,
				 struct ib_udata *udata)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int dereg_mr(struct ib_mr *mr, struct ib_udata *udata)
{
	kfree(mr);
	return 0;
}

const struct ib_device_ops stub_fabric_ops = {
	.alloc_pd = alloc_pd,
	.alloc_ucontext = alloc_ucontext,
	.attach_mcast = attach_mcast,
	.create_ah = create_ah,
	.create_cq = create_cq,
	.create_qp = create_qp,
	.dealloc_pd = dealloc_pd,
	.dealloc_ucontext = dealloc_ucontext,
	.dereg_mr = dereg_mr,
	.destroy_ah = destroy_ah,
	.destroy_cq = destroy_cq,
	.destroy_qp = destroy_qp,
	.detach_mcast = detach_mcast,
	.get_dma_mr = get_dma_mr,
	.mmap = no_mmap,
	.modify_qp = modify_qp,
	.poll_cq = poll_cq,
	.post_recv = post_recv,
	.post_send = post_send,
	.query_ah = query_ah,
	.query_qp = query_qp,
	.reg_user_mr = reg_user_mr,
	.req_notify_cq = req_notify_cq,
	INIT_RDMA_OBJ_SIZE(ib_ah, stub_ah, ib),
	INIT_RDMA_OBJ_SIZE(ib_cq, stub_cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_pd, stub_pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, stub_qp, ib),
	INIT_RDMA_OBJ_SIZE(ib_ucontext, stub_ucontext, ib),
};

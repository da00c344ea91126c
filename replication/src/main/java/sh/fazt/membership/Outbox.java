package sh.fazt.membership;

import java.util.ArrayList;
import java.util.List;
import sh.fazt.identity.NodeId;
import sh.fazt.membership.Roster.Entry;
import sh.fazt.protocol.membership.v1.Ack;
import sh.fazt.protocol.membership.v1.Exchange;
import sh.fazt.protocol.membership.v1.Gossip;
import sh.fazt.protocol.membership.v1.IndirectPing;
import sh.fazt.protocol.membership.v1.Nack;
import sh.fazt.protocol.membership.v1.Packet;
import sh.fazt.protocol.membership.v1.Ping;

/**
 * What one step wants done, in order. Every message takes along what its receiver has to know of itself, and
 * news.
 */
final class Outbox {
    private final Roster roster;
    private final int newsBytes;
    private final int retransmitFactor;
    private final GossipQueue news = new GossipQueue();
    private List<MembershipEffect> effects = new ArrayList<>();
    private long sent;

    Outbox(Roster roster, MembershipConfig config) {
        this.roster = roster;
        this.newsBytes = config.gossipBytes();
        this.retransmitFactor = config.retransmitFactor();
    }

    /** The effects since the last call. */
    List<MembershipEffect> drain() {
        List<MembershipEffect> drained = effects;
        effects = new ArrayList<>();
        return drained;
    }

    long sent() {
        return sent;
    }

    void changed(Member member) {
        effects.add(new MembershipEffect.Changed(member));
    }

    void removed(NodeId id) {
        news.remove(id);
        effects.add(new MembershipEffect.Removed(id));
    }

    void garbled(NodeId from) {
        effects.add(new MembershipEffect.Garbled(from));
    }

    /** Lets this ride along from now on. */
    void tell(Claim claim) {
        news.add(claim);
    }

    boolean hasNews() {
        return !news.isEmpty();
    }

    void ping(Entry to, long sequence) {
        send(
                to.id,
                Packet.newBuilder()
                        .setPing(Ping.newBuilder().setSequence(sequence).setIncarnation(to.incarnation)));
    }

    void ack(NodeId to, long sequence) {
        send(to, acknowledging(sequence));
    }

    /** An ack that also tells the receiver of this node, of which it believes something outdated. */
    void ack(NodeId to, long sequence, Claim own) {
        send(to, acknowledging(sequence).addClaims(MembershipCodec.wire(own)));
    }

    private static Packet.Builder acknowledging(long sequence) {
        return Packet.newBuilder().setAck(Ack.newBuilder().setSequence(sequence));
    }

    void indirectPing(NodeId relay, long sequence, NodeId target) {
        send(
                relay,
                Packet.newBuilder()
                        .setIndirectPing(IndirectPing.newBuilder()
                                .setSequence(sequence)
                                .setTarget(MembershipCodec.bytes(target))));
    }

    void nack(NodeId to, long sequence) {
        send(to, Packet.newBuilder().setNack(Nack.newBuilder().setSequence(sequence)));
    }

    void gossip(NodeId to) {
        send(to, Packet.newBuilder().setGossip(Gossip.getDefaultInstance()));
    }

    void gossip(NodeId to, Claim own) {
        send(to, Packet.newBuilder().setGossip(Gossip.getDefaultInstance()).addClaims(MembershipCodec.wire(own)));
    }

    /**
     * Everything that is known, but for what nobody has heard. Of the receiver too: one that starts again learns so of
     * its earlier life, which its clock may have put after this one.
     */
    void exchange(NodeId to, Claim own, boolean answer) {
        Packet.Builder packet =
                Packet.newBuilder().setExchange(Exchange.newBuilder().setAnswer(answer));
        packet.addClaims(MembershipCodec.wire(own));
        for (Entry entry : roster.all()) {
            if (entry.incarnation > 0) {
                packet.addClaims(MembershipCodec.wire(entry.claim()));
            }
        }
        send(to, packet);
    }

    private void send(NodeId to, Packet.Builder packet) {
        Entry entry = roster.get(to);
        if (entry != null && entry.state != MemberState.ALIVE) {
            // It has to know what is said of it, to say otherwise.
            packet.addClaims(MembershipCodec.wire(entry.claim().withoutMetadata()));
        }
        int retransmits = retransmitFactor * (int) Math.ceil(Math.log10(roster.size() + 2.0));
        packet.addAllClaims(news.take(newsBytes, retransmits));
        sent++;
        effects.add(new MembershipEffect.Send(to, packet.build().toByteArray()));
    }
}

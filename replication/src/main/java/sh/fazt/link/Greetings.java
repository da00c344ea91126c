package sh.fazt.link;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.JoinRequest;

/** Hellos: ours, and what may be wrong with the others'. Thread-safe. */
final class Greetings {
    private final GrpcLinks links;
    private final LinkConfig config;
    private final Protocols spoken;
    private final long bornNanos;

    Greetings(GrpcLinks links, LinkConfig config, Protocols spoken) {
        this.links = links;
        this.config = config;
        this.spoken = spoken;
        this.bornNanos = links.nanos();
    }

    /** The first frame of a lane. */
    Frame hello(int lane, String observed, Peer to, LinkClass way, boolean replaces) {
        Hello hello = Hello.newBuilder()
                .setOldestProtocol(spoken.oldest())
                .setNewestProtocol(spoken.newest())
                .setLane(lane)
                .setNodeId(ByteString.copyFrom(links.id().bytes()))
                .setSwarmId(links.swarmId())
                .setBootNonce(config.bootNonce())
                .setCapabilityLevel(Wire.CAPABILITY_LEVEL)
                .addAllAddresses(config.advertised())
                .setObservedAddress(observed)
                .setWallMillis(links.wallMillis())
                .setWay(way.number())
                .setReplaces(replaces)
                .setUptimeMillis(uptimeMillis())
                .setSchemaLevel(links.schemaLevels().own())
                .setMetered(links.settings().metered(to.id()))
                .build();
        return Wire.frame(Wire.HELLO, 0, hello.toByteString());
    }

    /** For how long this process has taken part. */
    long uptimeMillis() {
        return 1 + (links.nanos() - bornNanos) / 1_000_000;
    }

    boolean isOtherSwarm(Hello hello) {
        return !hello.getSwarmId().equals(links.swarmId());
    }

    /** That the sender of that hello has no protocol in common with us, and who has to be updated; null when it has. */
    @Nullable
    String otherProtocol(Hello hello) {
        Protocols its = Protocols.of(hello);
        return spoken.meet(its)
                ? null
                : "it speaks peer protocol " + its + ", this node " + spoken + ": update fazt on "
                        + (spoken.isBehind(its) ? "this node" : "that node");
    }

    /** Why the members here could have no link with an applicant, for its owner; null when they could. */
    @Nullable
    String otherProtocol(JoinRequest request) {
        Protocols its = Protocols.of(request);
        return spoken.meet(its)
                ? null
                : "the node that issued the token speaks peer protocol " + spoken + ", the node that wants to join "
                        + its + ": update fazt on the node that "
                        + (its.isBehind(spoken) ? "wants to join" : "issued the token")
                        + ". The token is good until it expires";
    }

    /** Why we can't have a link with the sender of that hello, or null. */
    @Nullable
    String problemWith(Hello hello, NodeId owner) {
        Protocols its = Protocols.of(hello);
        if (!spoken.meet(its)) {
            String old = spoken.isBehind(its) ? links.id().shortText() : owner.shortText();
            return "node " + owner.shortText() + " speaks peer protocol " + its + ", node "
                    + links.id().shortText() + " speaks " + spoken + ": update fazt on node " + old;
        }
        if (isOtherSwarm(hello)) {
            return "node " + owner.shortText() + " is in swarm " + hello.getSwarmId() + ", node "
                    + links.id().shortText() + " is in swarm " + links.swarmId();
        }
        if (!Arrays.equals(hello.getNodeId().toByteArray(), owner.bytes())) {
            return "the hello names another node than the key " + owner.shortText() + " of its connection";
        }
        return tooOld(schemaLevel(hello), owner);
    }

    /** Why there is no link with the sender of that hello before one of us is updated, and who; null when there may be. */
    @Nullable
    String incompatible(Hello hello, NodeId owner) {
        String other = otherProtocol(hello);
        return other != null || isOtherSwarm(hello) ? other : tooOld(schemaLevel(hello), owner);
    }

    /** What schema level the sender of a hello has. */
    static int schemaLevel(Hello hello) {
        return Math.max(1, hello.getSchemaLevel());
    }

    /** Why there is no link with a peer of that schema level, after what the swarm has agreed on, or null. */
    @Nullable
    String tooOld(int level, NodeId peer) {
        SchemaLevels here = links.schemaLevels();
        boolean self = here.own() < here.agreed();
        if (!self && level >= here.agreed()) {
            return null;
        }
        String old = self ? links.id().shortText() : peer.shortText();
        return "node " + old + " runs a fazt of schema level " + (self ? here.own() : level)
                + ", and its swarm has agreed on level " + here.agreed() + ": update fazt on node " + old;
    }
}

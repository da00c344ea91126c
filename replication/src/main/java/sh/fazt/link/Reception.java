package sh.fazt.link;

import io.grpc.Attributes;
import io.grpc.Grpc;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.cert.Certificate;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;

/** One connection that came in, and what is decided about it. Confined to the loop; the caller's key is final. */
final class Reception implements LaneStream.Owner {
    private static final long PATIENCE_MILLIS = 3000;

    private final GrpcLinks links;
    private final @Nullable NodeId caller;
    private final String address;
    private final String host;
    private final Way way;
    private @Nullable Link link;

    Reception(GrpcLinks links, Attributes transport) {
        this.links = links;
        this.caller = caller(transport.get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
        SocketAddress remote = transport.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        if (remote instanceof InetSocketAddress inet) {
            host = inet.getAddress().getHostAddress();
            HostPort from = new HostPort(host, inet.getPort());
            address = from.toString();
            way = new Way.Direct(from, links.directory().book().rank(from));
        } else if (remote instanceof Relayed relayed) {
            host = "";
            way = new Way.Via(relayed.relay());
            address = way.text();
        } else {
            throw new IllegalArgumentException("no connection comes from " + remote);
        }
    }

    private static @Nullable NodeId caller(@Nullable SSLSession session) {
        try {
            Certificate[] chain = session == null ? new Certificate[0] : session.getPeerCertificates();
            return chain.length == 0 ? null : NodeKey.idOf(chain[0].getPublicKey());
        } catch (SSLPeerUnverifiedException e) {
            // It showed none, as callers of the extra services do.
            return null;
        }
    }

    /** Whose key the connection was made with, or null without one. */
    @Nullable
    NodeId caller() {
        return caller;
    }

    /** The caller's host without a port. */
    String host() {
        return host;
    }

    /** A stream has begun; without a hello it ends soon. */
    void began(LaneStream stream) {
        links.after(PATIENCE_MILLIS, () -> {
            Link begun = link;
            if (begun == null || begun.isOpening()) {
                if (begun != null) {
                    begun.down("not all lanes came within " + PATIENCE_MILLIS + " ms", Wire.OUT_OF_PLACE, false);
                }
                stream.abort("no hello within " + PATIENCE_MILLIS + " ms");
            }
        });
    }

    @Override
    public void hello(LaneStream stream, Hello hello) {
        NodeId who = caller;
        if (who == null || links.isClosed()) {
            refuse(stream, Wire.STOPPING, "node " + links.id().shortText() + " is stopping");
            return;
        }
        if (who.equals(links.id())) {
            self(stream, hello);
            return;
        }
        Peer peer = links.trusted(who);
        if (peer == null) {
            String evicted = links.evicted(who);
            refuse(
                    stream,
                    evicted == null ? Wire.NOT_MEMBER : Wire.EVICTED,
                    evicted != null
                            ? evicted
                            : "node " + who.shortText() + " is no member of the swarm of node "
                                    + links.id().shortText() + ": join it with a token first");
            return;
        }
        String problem = links.greetings().problemWith(hello, who);
        if (problem != null) {
            String incompatible = links.greetings().incompatible(hello, who);
            if (incompatible != null) {
                peer.incompatible(incompatible);
            }
            if (links.greetings().otherProtocol(hello) != null) {
                // With our hello the caller can tell by itself, in its own words.
                greet(stream, hello.getLane(), peer);
            }
            refuse(stream, links.greetings().isOtherSwarm(hello) ? Wire.OTHER_SWARM : Wire.PROTOCOL, problem);
        } else if (hello.getLane() == Channel.Lane.CONTROL.number()) {
            control(stream, hello, peer);
        } else {
            lane(stream, hello);
        }
    }

    private void self(LaneStream stream, Hello hello) {
        if (hello.getBootNonce() == links.bootNonce()) {
            refuse(stream, Wire.LINKED, "this is the node itself");
            return;
        }
        String here = Reasons.fromPeer(Link.Terms.place(address, hello));
        boolean callerIsYounger = hello.getUptimeMillis() <= links.greetings().uptimeMillis();
        String text = twice(links.id(), "this one", here, callerIsYounger ? here : "this one");
        if (!callerIsYounger) {
            links.reportCopy(text);
        }
        refuse(stream, Wire.COPY, text);
    }

    private static String twice(NodeId node, String one, String other, String younger) {
        return "node " + node.shortText() + " runs twice, at " + one + " and at " + other
                + ": two processes have one key. The one that was started later, at " + younger
                + ", stops. Give the copy an identity of its own with \"fazt swarm clone --db FILE\"";
    }

    /** Two live processes with the key of a peer: the older one keeps or gets the link, the other one is told. */
    private void copy(LaneStream stream, Hello hello, Peer peer, Link present) {
        Link.Terms there = present.terms();
        String here = Reasons.fromPeer(Link.Terms.place(address, hello));
        boolean thereIsYounger = there.isYoungerThan(hello.getUptimeMillis(), links.nanos());
        String text = twice(peer.id(), there.place(), here, thereIsYounger ? there.place() : here);
        if (thereIsYounger) {
            present.down(text, Wire.COPY, false);
            admit(stream, hello, peer);
        } else {
            refuse(stream, Wire.COPY, text);
        }
    }

    private void control(LaneStream stream, Hello hello, Peer peer) {
        Link present = peer.link();
        Dial mine = peer.dialler().dial();
        boolean oursStays = mine != null && mine.hasGreeted() && links.id().compareTo(peer.id()) < 0;
        if (present != null && hello.getReplaces() && present.terms().boot() == hello.getBootNonce()) {
            if (!present.isUp() || peer.standby() != null || oursStays) {
                refuse(stream, Wire.LINKED, "another link is coming up");
            } else {
                admit(stream, hello, peer);
            }
            return;
        }
        if (present != null) {
            // Either the caller lost it and we have not noticed, or this is a second process with its key.
            present.probe(alive -> {
                if (alive && present == peer.link()) {
                    if (present.terms().boot() != hello.getBootNonce()) {
                        copy(stream, hello, peer, present);
                    } else {
                        refuse(
                                stream,
                                Wire.LINKED,
                                "a link to node " + links.id().shortText() + " is up");
                    }
                } else if (peer.link() == null || peer.link() == present) {
                    present.down("replaced by a new one from " + address, Wire.LINKED, true);
                    admit(stream, hello, peer);
                } else {
                    refuse(stream, Wire.LINKED, "another link came up");
                }
            });
            return;
        }
        if (oursStays) {
            refuse(stream, Wire.LINKED, "both dialled: the link of the smaller node id stays");
            return;
        }
        admit(stream, hello, peer);
    }

    private void admit(LaneStream stream, Hello hello, Peer peer) {
        if (!peer.isTrusted() || links.isClosed()) {
            refuse(stream, Wire.NOT_MEMBER, "node " + peer.id().shortText() + " is no member of this swarm");
            return;
        }
        Link begun = new Link(links, peer, Link.Terms.of(false, way, address, hello, links.nanos()), hello, null);
        link = begun;
        links.directory().met(peer, hello, way);
        peer.dialler().abandon("the peer dialled");
        peer.begins(begun);
        begun.attach(Channel.Lane.CONTROL.number(), stream);
        greet(stream, Channel.Lane.CONTROL.number(), peer);
    }

    private void lane(LaneStream stream, Hello hello) {
        Link begun = link;
        if (begun == null || !begun.attach(hello.getLane(), stream)) {
            refuse(stream, Wire.OUT_OF_PLACE, "lane " + hello.getLane() + " belongs to no link that is opening");
            return;
        }
        greet(stream, hello.getLane(), begun.peer());
        if (begun.isWhole()) {
            begun.open();
        }
    }

    private void greet(LaneStream stream, int lane, Peer peer) {
        stream.write(links.greetings().hello(lane, address, peer, way.rank(), false));
    }

    @Override
    public void misbehaved(Fault kind, String what) {
        NodeId who = caller;
        Peer peer = who == null ? null : links.trusted(who);
        if (peer == null) {
            links.counts().badFrames.increment();
        } else {
            peer.misbehaved(kind, what);
        }
    }

    private void refuse(LaneStream stream, int code, String why) {
        links.counts().refused.increment();
        stream.close(code, why);
    }

    @Override
    public void goodbye(LaneStream stream, Goodbye goodbye) {
        stream.abort("it said goodbye before its hello was answered");
    }

    @Override
    public void closed(LaneStream stream, String why) {
        // It never was part of a link.
    }
}

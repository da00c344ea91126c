package sh.fazt.link;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.ScheduledFuture;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;

/** One attempt to reach a peer at one address, from the look-up of its name to its hello. Confined to the loop. */
final class Dial implements LaneStream.Owner {
    private final GrpcLinks links;
    private final Peer peer;
    private final Way way;
    private final @Nullable Link replaced;
    private final long patienceMillis;
    private @Nullable ManagedChannel connection;
    private @Nullable LaneStream control;
    private @Nullable ScheduledFuture<?> patience;
    private boolean greeted;
    private boolean over;

    /**
     * @param replaced       the link that is up and shall be replaced, or null
     * @param patienceMillis how long it may take
     */
    Dial(GrpcLinks links, Peer peer, Way way, @Nullable Link replaced, long patienceMillis) {
        this.links = links;
        this.peer = peer;
        this.way = way;
        this.replaced = replaced;
        this.patienceMillis = patienceMillis;
    }

    Way way() {
        return way;
    }

    String address() {
        return way.text();
    }

    /** Whether the peer may have our hello: from then on who wins is decided by the smaller node id. */
    boolean hasGreeted() {
        return greeted;
    }

    void start() {
        patience = links.later(patienceMillis, () -> fail("no answer within " + patienceMillis + " ms"));
        if (way instanceof Way.Direct direct) {
            HostPort to = direct.to();
            links.block(() -> {
                InetSocketAddress resolved = new InetSocketAddress(to.host(), to.port());
                links.loop().execute(() -> connect(resolved));
            });
        } else {
            connect(new Relayed(peer.id(), ((Way.Via) way).relay()));
        }
    }

    private void connect(SocketAddress resolved) {
        if (over) {
            return;
        }
        if (resolved instanceof InetSocketAddress inet && inet.isUnresolved()) {
            fail("no such host");
            return;
        }
        try {
            ManagedChannel opened = links.connect(resolved, peer, way.rank());
            connection = opened;
            // The headers go out at once; the hello only when the stream stands on a connection, so that it
            // is known whether the peer can have it.
            control = open(opened, this, this::connected);
        } catch (SSLException e) {
            fail("this Java can't speak TLS 1.3: " + e.getMessage());
        }
    }

    private void connected() {
        LaneStream stream = control;
        if (over || greeted || stream == null) {
            return;
        }
        if (peer.link() != replaced || peer.standby() != null) {
            // The peer was quicker, or the old link is gone.
            fail("another link came up");
            return;
        }
        greeted = true;
        stream.write(
                links.greetings().hello(Channel.Lane.CONTROL.number(), address(), peer, way.rank(), replaced != null));
    }

    /** Opens one more lane. */
    private LaneStream open(ManagedChannel on, LaneStream.Owner owner, Runnable connected) {
        LaneStream[] made = new LaneStream[1];
        ClientCalls.asyncBidiStreamingCall(
                on.newCall(PeerServiceGrpc.getOpenMethod(), CallOptions.DEFAULT),
                new ClientResponseObserver<Frame, Frame>() {
                    @Override
                    public void beforeStart(ClientCallStreamObserver<Frame> out) {
                        out.disableAutoRequestWithInitial(1);
                        LaneStream stream = new LaneStream(links, out, owner);
                        made[0] = stream;
                        boolean[] first = {true};
                        out.setOnReadyHandler(() -> {
                            if (first[0]) {
                                first[0] = false;
                                links.loop().execute(connected);
                            }
                            stream.ready();
                        });
                    }

                    @Override
                    public void onNext(Frame frame) {
                        made[0].onNext(frame);
                    }

                    @Override
                    public void onError(Throwable error) {
                        made[0].onError(error);
                    }

                    @Override
                    public void onCompleted() {
                        made[0].onCompleted();
                    }
                });
        return made[0];
    }

    @Override
    public void hello(LaneStream stream, Hello hello) {
        ManagedChannel mine = connection;
        if (over || mine == null) {
            return;
        }
        String problem = links.greetings().problemWith(hello, peer.id());
        if (problem != null) {
            String incompatible = links.greetings().incompatible(hello, peer.id());
            if (incompatible != null) {
                peer.incompatible(incompatible);
            }
            stream.close(Wire.PROTOCOL, problem);
            fail(problem);
            return;
        }
        if (replaced != null && (peer.link() != replaced || replaced.terms().boot() != hello.getBootNonce())) {
            stream.close(Wire.OUT_OF_PLACE, "the link that it should replace is gone");
            fail("the link that it should replace is gone");
            return;
        }
        finish();
        links.directory().met(peer, hello, way);
        Link.Terms terms = Link.Terms.of(true, way, address(), hello, links.nanos());
        Link link = new Link(links, peer, terms, hello, mine);
        peer.dialler().done(this);
        peer.begins(link);
        link.attach(Channel.Lane.CONTROL.number(), stream);
        for (int lane = 1; lane < terms.lanes(); lane++) {
            LaneStream next = open(mine, link, () -> {});
            link.attach(lane, next);
            next.write(links.greetings().hello(lane, address(), peer, way.rank(), replaced != null));
        }
        if (replaced == null) {
            link.open();
        }
    }

    @Override
    public void goodbye(LaneStream stream, Goodbye goodbye) {
        if (!over) {
            String why = Reasons.fromPeer(goodbye.getMessage());
            if (replaced == null) {
                peer.refused(goodbye.getCode(), why);
            }
            fail(why);
        }
    }

    @Override
    public void closed(LaneStream stream, String why) {
        fail(why);
    }

    @Override
    public void misbehaved(Fault kind, String what) {
        peer.misbehaved(kind, what);
    }

    private void fail(String why) {
        if (!over) {
            cancel(why);
            peer.dialler().failed(this, why);
        }
    }

    /** Leaves no trace and tells nobody here. */
    void cancel(String why) {
        finish();
        LaneStream stream = control;
        if (stream != null) {
            stream.abort(why);
        }
        ManagedChannel mine = connection;
        if (mine != null) {
            mine.shutdownNow();
        }
    }

    private void finish() {
        over = true;
        ScheduledFuture<?> timer = patience;
        if (timer != null) {
            timer.cancel(false);
        }
    }
}

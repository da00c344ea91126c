package sh.fazt.link;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.net.InetSocketAddress;
import java.util.concurrent.ScheduledFuture;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;

/** One attempt to reach a peer at one address, from the look-up of its name to its hello. Confined to the loop. */
final class Dial implements LaneStream.Owner {
    private static final long PATIENCE_MILLIS = 5000;

    private final GrpcLinks links;
    private final Peer peer;
    private final HostPort to;
    private @Nullable ManagedChannel connection;
    private @Nullable LaneStream control;
    private @Nullable ScheduledFuture<?> patience;
    private boolean greeted;
    private boolean over;

    Dial(GrpcLinks links, Peer peer, HostPort to) {
        this.links = links;
        this.peer = peer;
        this.to = to;
    }

    String address() {
        return to.toString();
    }

    /** Whether the peer may have our hello: from then on who wins is decided by the smaller node id. */
    boolean hasGreeted() {
        return greeted;
    }

    void start() {
        patience = links.later(PATIENCE_MILLIS, () -> fail("no answer within " + PATIENCE_MILLIS + " ms"));
        links.block(() -> {
            InetSocketAddress resolved = new InetSocketAddress(to.host(), to.port());
            links.loop().execute(() -> connect(resolved));
        });
    }

    private void connect(InetSocketAddress resolved) {
        if (over) {
            return;
        }
        if (resolved.isUnresolved()) {
            fail("no such host");
            return;
        }
        try {
            ManagedChannel opened = links.connect(resolved, peer.id());
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
        if (peer.link() != null) {
            // The peer was quicker.
            peer.abandonDial("the peer dialled first");
            return;
        }
        greeted = true;
        stream.write(links.hello(Channel.Lane.CONTROL.number(), address()));
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
        String problem = links.problemWith(hello, peer.id());
        if (problem != null) {
            stream.close(Wire.PROTOCOL, problem);
            fail(problem);
            return;
        }
        finish();
        peer.learn(hello.getAddressesList());
        Link link = new Link(links, peer, true, address(), hello.getBootNonce(), mine);
        peer.dialled(this, link);
        link.attach(Channel.Lane.CONTROL.number(), stream);
        for (Channel.Lane lane : Channel.Lane.values()) {
            if (lane != Channel.Lane.CONTROL) {
                LaneStream next = open(mine, link, () -> {});
                link.attach(lane.number(), next);
                next.write(links.hello(lane.number(), address()));
            }
        }
        link.open();
    }

    @Override
    public void goodbye(LaneStream stream, Goodbye goodbye) {
        if (!over) {
            peer.refused(goodbye.getCode(), goodbye.getMessage());
            fail(goodbye.getMessage());
        }
    }

    @Override
    public void closed(LaneStream stream, String why) {
        fail(why);
    }

    private void fail(String why) {
        if (!over) {
            cancel(why);
            peer.dialFailed(this, why);
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

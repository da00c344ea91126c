package sh.fazt.link;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.JoinReply;
import sh.fazt.protocol.peer.v1.JoinRequest;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;

/** The accepting side of links. Runs on network threads. */
final class PeerEndpoint extends PeerServiceGrpc.PeerServiceImplBase {
    private static final Attributes.Key<Reception> RECEPTION = Attributes.Key.create("fazt-reception");
    private static final Context.Key<Reception> CALLER = Context.key("fazt-caller");

    private final GrpcLinks links;
    private final JoinCounter joins;

    PeerEndpoint(GrpcLinks links, JoinCounter joins) {
        this.links = links;
        this.joins = joins;
    }

    /** Notes each connection's key once. */
    static ServerTransportFilter transports(GrpcLinks links) {
        return new ServerTransportFilter() {
            @Override
            public Attributes transportReady(Attributes transport) {
                links.counts().authenticated.increment();
                return transport.toBuilder()
                        .set(RECEPTION, new Reception(links, transport))
                        .build();
            }
        };
    }

    /** Hears of frames that gRPC itself ends a stream for: the stream is only told that it has ended. */
    static ServerStreamTracer.Factory damage() {
        return new ServerStreamTracer.Factory() {
            @Override
            public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                return new ServerStreamTracer() {
                    private volatile @Nullable Reception reception;

                    @Override
                    public void serverCallStarted(ServerCallInfo<?, ?> call) {
                        reception = call.getAttributes().get(RECEPTION);
                    }

                    @Override
                    public void streamClosed(Status status) {
                        Reception from = reception;
                        Fault fault = Fault.of(status);
                        if (from != null && fault != null) {
                            from.misbehaved(fault, Reasons.of(status.asRuntimeException()));
                        }
                    }
                };
            }
        };
    }

    /** Lets the endpoint see the connection of a call. */
    static ServerInterceptor callers() {
        return new ServerInterceptor() {
            @Override
            public <Q, A> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
                Context context =
                        Context.current().withValue(CALLER, call.getAttributes().get(RECEPTION));
                return Contexts.interceptCall(context, call, headers, next);
            }
        };
    }

    @Override
    public StreamObserver<Frame> open(StreamObserver<Frame> responses) {
        Reception reception = CALLER.get();
        NodeId caller = reception == null ? null : reception.caller();
        if (reception == null || caller == null) {
            return refused(responses, Status.UNAUTHENTICATED, "a link needs a node's key: this caller showed none");
        }
        String evicted = links.evicted(caller);
        if (evicted != null) {
            // A goodbye, which programs read, and no more for a stranger than that.
            responses.onNext(Wire.goodbye(Wire.EVICTED, evicted));
            return refused(responses, Status.PERMISSION_DENIED, evicted);
        }
        if (!caller.equals(links.id()) && links.trusted(caller) == null) {
            return refused(
                    responses,
                    Status.PERMISSION_DENIED,
                    "node " + caller.shortText() + " is no member of the swarm of node "
                            + links.id().shortText() + ": join it with a token first");
        }
        ServerCallStreamObserver<Frame> out = (ServerCallStreamObserver<Frame>) responses;
        out.disableAutoRequest();
        LaneStream stream = new LaneStream(links, out, reception);
        out.setOnReadyHandler(stream::ready);
        out.setOnCancelHandler(() -> stream.ended("the connection ended"));
        out.request(1);
        links.loop().execute(() -> reception.began(stream));
        return stream;
    }

    private StreamObserver<Frame> refused(StreamObserver<Frame> responses, Status status, String why) {
        links.counts().refused.increment();
        responses.onError(status.withDescription(why).asRuntimeException());
        return new StreamObserver<>() {
            @Override
            public void onNext(Frame frame) {
                links.counts().badFrames.increment();
            }

            @Override
            public void onError(Throwable error) {
                // The call has its answer.
            }

            @Override
            public void onCompleted() {
                // The call has its answer.
            }
        };
    }

    @Override
    public void join(JoinRequest request, StreamObserver<JoinReply> responses) {
        Reception reception = CALLER.get();
        @Nullable NodeId caller = reception == null ? null : reception.caller();
        if (reception == null || caller == null) {
            links.counts().refused.increment();
            responses.onError(Status.UNAUTHENTICATED
                    .withDescription("joining needs a node's key: this caller showed none")
                    .asRuntimeException());
            return;
        }
        joins.join(request, caller, reception.host(), reply -> {
            responses.onNext(reply);
            responses.onCompleted();
        });
    }
}

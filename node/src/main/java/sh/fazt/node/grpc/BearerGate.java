package sh.fazt.node.grpc;

import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.http.OwnMachine;

/** Lets only the owner's programs on this machine through. Thread-safe. */
final class BearerGate implements ServerInterceptor {
    static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final Auth auth;

    BearerGate(Auth auth) {
        this.auth = auth;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        boolean fromHere = OwnMachine.dials(
                call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR),
                call.getAttributes().get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR));
        if (fromHere && auth.showsToken(headers.get(AUTHORIZATION))) {
            return next.startCall(call, headers);
        }
        call.close(
                Status.UNAUTHENTICATED.withDescription(
                        "say \"authorization: Bearer TOKEN\" with the token of the node's run file, from this machine"),
                new Metadata());
        return new ServerCall.Listener<>() {};
    }
}

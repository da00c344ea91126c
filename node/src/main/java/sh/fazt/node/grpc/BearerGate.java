package sh.fazt.node.grpc;

import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.auth.Auth;

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
        if (auth.local(headers.get(AUTHORIZATION), loopback(call))) {
            return next.startCall(call, headers);
        }
        call.close(
                Status.UNAUTHENTICATED.withDescription(
                        "say \"authorization: Bearer TOKEN\" with the token of the node's run file, from this machine"),
                new Metadata());
        return new ServerCall.Listener<>() {};
    }

    private static boolean loopback(ServerCall<?, ?> call) {
        @Nullable Object remote = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        return remote instanceof InetSocketAddress address
                && address.getAddress().isLoopbackAddress();
    }
}

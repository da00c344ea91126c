package sh.fazt.node.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.function.Supplier;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.WatchControl;
import sh.fazt.protocol.admin.v1.DifferentRow;
import sh.fazt.protocol.admin.v1.Event;
import sh.fazt.protocol.admin.v1.ListEventsRequest;
import sh.fazt.protocol.admin.v1.ListEventsResponse;
import sh.fazt.protocol.admin.v1.VerifiedScope;
import sh.fazt.protocol.admin.v1.VerifyRequest;
import sh.fazt.protocol.admin.v1.VerifyResponse;

/** The part of {@link AdminEndpoint} that watches. Thread-safe; calls block. */
final class WatchEndpoint {
    private final Supplier<? extends WatchControl> watch;

    WatchEndpoint(Supplier<? extends WatchControl> watch) {
        this.watch = watch;
    }

    VerifyResponse verify(VerifyRequest request) {
        List<WatchControl.Verified> all = AdminEndpoint.done(
                watch.get().verify(request.getApp().isEmpty() ? null : request.getApp(), request.getRepair()));
        VerifyResponse.Builder response = VerifyResponse.newBuilder()
                .setDifferent(all.stream().anyMatch(WatchControl.Verified::wrong))
                .setIncomplete(all.stream().anyMatch(WatchControl.Verified::incomplete));
        for (WatchControl.Verified one : all) {
            VerifiedScope.Builder scope = VerifiedScope.newBuilder()
                    .setMember(AdminEndpoint.named(one.member()))
                    .setScope(one.scope())
                    .setApp(one.app())
                    .setState(one.state())
                    .setMore(one.more())
                    .setDamaged(one.damaged())
                    .setRepaired(one.repaired())
                    .setWhy(one.why());
            one.rows()
                    .forEach(row -> scope.addRows(DifferentRow.newBuilder()
                            .setTable(row.table())
                            .setKey(row.key().toString())
                            .setWhat(row.what())));
            response.addScopes(scope);
        }
        return response.build();
    }

    ListEventsResponse events(ListEventsRequest request) {
        List<WatchControl.Event> all = watch.get().events(0);
        ListEventsResponse.Builder response = ListEventsResponse.newBuilder();
        for (WatchControl.Event event : all) {
            response.setLast(event.number());
            if (event.number() > request.getSince()) {
                response.addEvents(event(event));
            }
        }
        return response.build();
    }

    /** Sends what happened and what happens, each once, until the caller ends it or does not keep up. */
    void watch(ListEventsRequest request, StreamObserver<Event> answer) {
        ServerCallStreamObserver<Event> caller = (ServerCallStreamObserver<Event>) answer;
        Follower follower = new Follower(caller, request.getSince());
        Runnable end = watch.get().listen(follower::happened);
        caller.setOnCancelHandler(end);
        follower.catchUp(watch.get().events(request.getSince()));
    }

    /** One caller that follows. Thread-safe: events come from any thread. */
    private static final class Follower {
        private final ServerCallStreamObserver<Event> caller;
        private long last;
        private boolean ended;
        private boolean caughtUp;

        Follower(ServerCallStreamObserver<Event> caller, long since) {
            this.caller = caller;
            this.last = since;
        }

        synchronized void catchUp(List<WatchControl.Event> events) {
            caughtUp = true;
            events.forEach(this::send);
        }

        synchronized void happened(WatchControl.Event event) {
            if (!caughtUp || ended || caller.isCancelled()) {
                return;
            }
            if (!caller.isReady()) {
                ended = true;
                caller.onError(Status.RESOURCE_EXHAUSTED
                        .withDescription("events are read too slowly: ask again from " + last)
                        .asRuntimeException());
                return;
            }
            send(event);
        }

        private void send(WatchControl.Event event) {
            if (event.number() > last && !ended && !caller.isCancelled()) {
                last = event.number();
                caller.onNext(event(event));
            }
        }
    }

    private static Event event(WatchControl.Event event) {
        Event.Builder form = Event.newBuilder()
                .setNumber(event.number())
                .setAtMillis(event.at().toEpochMilli())
                .setKind(event.kind())
                .setWhat(event.what())
                .setWhy(event.why());
        Named node = event.node();
        if (node != null) {
            form.setNode(AdminEndpoint.named(node));
        }
        return form.build();
    }
}

package sh.fazt.node.grpc;

import java.util.List;
import java.util.function.Supplier;
import sh.fazt.node.api.PlacementControl;
import sh.fazt.node.api.PlacementControl.Placements;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.protocol.admin.v1.BytesFrom;
import sh.fazt.protocol.admin.v1.Holder;
import sh.fazt.protocol.admin.v1.LabelMemberRequest;
import sh.fazt.protocol.admin.v1.LabelledMember;
import sh.fazt.protocol.admin.v1.ListPlacementsResponse;
import sh.fazt.protocol.admin.v1.MissingBlob;
import sh.fazt.protocol.admin.v1.PlaceAppRequest;
import sh.fazt.protocol.admin.v1.Placement;
import sh.fazt.protocol.admin.v1.SyncRequest;
import sh.fazt.protocol.admin.v1.SyncResponse;

/** The part of {@link AdminEndpoint} that says where apps are kept. Thread-safe; calls block. */
final class PlacementEndpoint {
    private final Supplier<? extends PlacementControl> placement;

    PlacementEndpoint(Supplier<? extends PlacementControl> placement) {
        this.placement = placement;
    }

    ListPlacementsResponse list() {
        return response(AdminEndpoint.done(placement.get().placements()));
    }

    ListPlacementsResponse place(PlaceAppRequest request) {
        PlacementControl control = placement.get();
        String app = request.getApp();
        List<String> lazy = List.copyOf(request.getLazyList());
        return response(AdminEndpoint.done(
                switch (request.getWhereCase()) {
                    case EVERYWHERE -> control.everywhere(app, lazy);
                    case ON -> control.on(app, request.getOn().getNodesList(), lazy);
                    case LABEL -> control.byLabel(app, request.getLabel(), lazy);
                    case WHERE_NOT_SET ->
                        throw new Problem.Thrown(
                                Kind.INVALID,
                                "MISSING_FIELD",
                                "an app is placed everywhere, on members or by a label: say one of them");
                }));
    }

    ListPlacementsResponse label(LabelMemberRequest request) {
        if (request.getLabelsCount() == 0) {
            throw new Problem.Thrown(Kind.INVALID, "MISSING_FIELD", "Required field is missing: labels");
        }
        return response(AdminEndpoint.done(placement.get().label(request.getNode(), request.getLabelsList())));
    }

    SyncResponse sync(SyncRequest request) {
        String app = request.getApp();
        return response(AdminEndpoint.done(placement.get().sync(app.isEmpty() ? null : app)));
    }

    SyncResponse syncing() {
        return response(AdminEndpoint.done(placement.get().syncing()));
    }

    private static SyncResponse response(PlacementControl.Syncing now) {
        SyncResponse.Builder response = SyncResponse.newBuilder()
                .setRunning(now.running())
                .setAll(AdminEndpoint.heldBack(now.all()))
                .setGot(AdminEndpoint.heldBack(now.got()))
                .setLost(now.lost());
        now.from()
                .forEach((member, bytes) -> response.addFrom(BytesFrom.newBuilder()
                        .setNode(AdminEndpoint.named(member))
                        .setBytes(bytes)));
        now.missing()
                .forEach(one -> response.addMissing(
                        MissingBlob.newBuilder().setHash(one.hash()).addAllFiles(one.files())));
        return response.build();
    }

    private static ListPlacementsResponse response(Placements placements) {
        ListPlacementsResponse.Builder response = ListPlacementsResponse.newBuilder();
        for (PlacementControl.Placed one : placements.apps()) {
            Placement.Builder app = Placement.newBuilder()
                    .setApp(AdminEndpoint.named(one.app()))
                    .setRule(one.rule());
            for (PlacementControl.Holder holder : one.holders()) {
                Holder.Builder built = Holder.newBuilder()
                        .setNode(AdminEndpoint.named(holder.node()))
                        .setLazy(holder.lazy());
                Long behind = holder.behind();
                if (behind != null) {
                    built.setBehind(behind);
                }
                app.addHolders(built);
            }
            response.addApps(app);
        }
        placements
                .labels()
                .forEach((member, labels) -> response.addMembers(LabelledMember.newBuilder()
                        .setNode(AdminEndpoint.named(member))
                        .putAllLabels(labels)));
        placements.leaving().forEach(app -> response.addLeaving(AdminEndpoint.named(app)));
        return response.build();
    }
}

package sh.fazt.node.grpc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import sh.fazt.node.api.ConflictDesk;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.protocol.admin.v1.CreateTokenRequest;
import sh.fazt.protocol.admin.v1.CreateTokenResponse;
import sh.fazt.protocol.admin.v1.DemoteMemberRequest;
import sh.fazt.protocol.admin.v1.DemoteMemberResponse;
import sh.fazt.protocol.admin.v1.EvictMemberRequest;
import sh.fazt.protocol.admin.v1.EvictMemberResponse;
import sh.fazt.protocol.admin.v1.GetStatusResponse;
import sh.fazt.protocol.admin.v1.InitSwarmRequest;
import sh.fazt.protocol.admin.v1.JoinSwarmRequest;
import sh.fazt.protocol.admin.v1.Lag;
import sh.fazt.protocol.admin.v1.LeaveSwarmRequest;
import sh.fazt.protocol.admin.v1.ListMembersResponse;
import sh.fazt.protocol.admin.v1.Member;
import sh.fazt.protocol.admin.v1.Parked;
import sh.fazt.protocol.admin.v1.PeerSync;
import sh.fazt.protocol.admin.v1.PromoteMemberRequest;
import sh.fazt.protocol.admin.v1.PromoteMemberResponse;
import sh.fazt.protocol.admin.v1.RecoverSwarmRequest;
import sh.fazt.protocol.admin.v1.RotateKeyResponse;

/** The part of {@link AdminEndpoint} that is about the swarm and its members. Thread-safe; calls but {@link #join} block. */
final class MemberEndpoint {
    private final Supplier<SwarmControl> swarm;
    private final ConflictDesk conflicts;
    private final String version;

    MemberEndpoint(Supplier<SwarmControl> swarm, ConflictDesk conflicts, String version) {
        this.swarm = swarm;
        this.conflicts = conflicts;
        this.version = version;
    }

    GetStatusResponse status() {
        return status(swarm.get().status());
    }

    private GetStatusResponse status(SwarmControl.Status status) {
        GetStatusResponse.Builder response = GetStatusResponse.newBuilder()
                .setSwarm(AdminEndpoint.named(status.swarm()))
                .setSelf(AdminEndpoint.named(status.self()))
                .setQuorum(status.quorum())
                .setVersion(version)
                .setEvicted(swarm.get().evicted())
                .setConfigVersion(status.configVersion())
                .setSchemaLevel(status.schemaLevel())
                .setWarning(status.warning())
                .setConflicts(conflicts.count())
                .setHeldBack(AdminEndpoint.heldBack(swarm.get().heldBack()));
        swarm.get()
                .parked()
                .forEach(parked -> response.addParked(
                        Parked.newBuilder().setReason(parked.reason()).setRows(parked.rows())));
        SwarmControl.Named leader = status.leader();
        if (leader != null) {
            response.setLeader(AdminEndpoint.named(leader));
        }
        return response.build();
    }

    ListMembersResponse list() {
        return ListMembersResponse.newBuilder()
                .addAllMembers(members(swarm.get().status()))
                .build();
    }

    GetStatusResponse init(InitSwarmRequest request) {
        Optional<String> name = request.hasName() ? Optional.of(request.getName()) : Optional.empty();
        return status(AdminEndpoint.done(swarm.get().init(name)));
    }

    CreateTokenResponse token(CreateTokenRequest request) {
        Duration lasts =
                request.hasTtlSeconds() ? Duration.ofSeconds(request.getTtlSeconds()) : SwarmControl.TOKEN_LASTS;
        SwarmControl.Token token = AdminEndpoint.done(swarm.get().token(lasts));
        return CreateTokenResponse.newBuilder()
                .setToken(token.text())
                .setWords(token.words())
                .setExpiresAtSeconds(token.expiresAt().getEpochSecond())
                .build();
    }

    CompletionStage<GetStatusResponse> join(JoinSwarmRequest request) {
        if (request.getToken().isBlank()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "joining needs the token that a member made: set token");
        }
        return swarm.get()
                .join(request.getToken().strip(), request.getObserver())
                .thenApply(outcome -> status(AdminEndpoint.done(outcome)));
    }

    GetStatusResponse leave(LeaveSwarmRequest request) {
        return status(AdminEndpoint.done(swarm.get().leave(request.getForce())));
    }

    GetStatusResponse recover(RecoverSwarmRequest request) {
        if (!request.getForce()) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "FORCE_REQUIRED",
                    "this makes this node decide alone, after the majority is lost for good; set force if the other"
                            + " members will never come back as they were");
        }
        return status(AdminEndpoint.done(swarm.get().recover()));
    }

    PromoteMemberResponse promote(PromoteMemberRequest request) {
        SwarmControl.Status status = AdminEndpoint.done(swarm.get().promote(request.getNode()));
        return PromoteMemberResponse.newBuilder()
                .setWarning(status.warning())
                .addAllMembers(members(status))
                .build();
    }

    DemoteMemberResponse demote(DemoteMemberRequest request) {
        SwarmControl.Status status = AdminEndpoint.done(swarm.get().demote(request.getNode()));
        return DemoteMemberResponse.newBuilder()
                .setWarning(status.warning())
                .addAllMembers(members(status))
                .build();
    }

    EvictMemberResponse evict(EvictMemberRequest request) {
        SwarmControl.Status status = AdminEndpoint.done(swarm.get().evict(request.getNode(), request.getForce()));
        return EvictMemberResponse.newBuilder()
                .setWarning(status.warning())
                .addAllMembers(members(status))
                .build();
    }

    RotateKeyResponse rotateKey() {
        SwarmControl.NewKey key = AdminEndpoint.done(swarm.get().rotateKey());
        return RotateKeyResponse.newBuilder()
                .setBefore(AdminEndpoint.named(key.before()))
                .setAfter(AdminEndpoint.named(key.after()))
                .build();
    }

    private static List<Member> members(SwarmControl.Status status) {
        List<Member> members = new ArrayList<>();
        status.members().forEach(member -> members.add(member(member)));
        return members;
    }

    private static Member member(SwarmControl.Member member) {
        Member.Builder one = Member.newBuilder()
                .setNode(AdminEndpoint.named(member.node()))
                .setRole(member.role())
                .setState(member.state())
                .setAddress(member.address())
                .setProblem(member.problem())
                .setSchemaLevel(member.schemaLevel());
        Duration roundTrip = member.roundTrip();
        if (roundTrip != null) {
            one.setRoundTripNanos(roundTrip.toNanos());
        }
        Duration sinceHeard = member.sinceHeard();
        if (sinceHeard != null) {
            one.setSinceHeardMillis(sinceHeard.toMillis());
        }
        SwarmControl.Lag behind = member.behind();
        if (behind != null) {
            one.setBehind(Lag.newBuilder().setChanges(behind.changes()).setBytes(behind.bytes()));
        }
        SwarmControl.Figures figures = member.figures();
        if (figures != null) {
            one.setOffences(figures.offences()).setFloods(figures.floods()).setSync(sync(figures));
        }
        return one.build();
    }

    private static PeerSync sync(SwarmControl.Figures figures) {
        PeerSync.Builder sync = PeerSync.newBuilder()
                .setLinkClass(figures.linkClass())
                .setClockOffsetMillis(figures.clockOffsetMillis())
                .setBehindRows(figures.rows())
                .setBehindBytes(figures.bytes())
                .setOldestUnsentMillis(figures.oldest().toMillis())
                .setPushed(figures.pushed())
                .setReceived(figures.received())
                .setPulls(figures.pulls())
                .setFailedPulls(figures.failedPulls());
        if (figures.ahead() >= 0) {
            sync.setAheadChanges(figures.ahead());
        }
        return sync.build();
    }
}

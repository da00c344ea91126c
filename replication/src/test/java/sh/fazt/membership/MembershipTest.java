package sh.fazt.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.membership.v1.Ack;
import sh.fazt.protocol.membership.v1.Exchange;
import sh.fazt.protocol.membership.v1.Gossip;
import sh.fazt.protocol.membership.v1.IndirectPing;
import sh.fazt.protocol.membership.v1.Nack;
import sh.fazt.protocol.membership.v1.Packet;
import sh.fazt.protocol.membership.v1.Ping;

/** One node's rules, step by step: the others are played by the test. */
class MembershipTest {
    private static final MembershipConfig LAN = MembershipConfig.lan();
    private static final NodeId SELF = id(0);
    private static final NodeId A = id(1);
    private static final NodeId B = id(2);
    private static final NodeId C = id(3);

    private long now = 1_000_000_000L;
    private final List<Sent> sent = new ArrayList<>();
    private final Membership membership =
            new Membership(SELF, MemberMetadata.named("me"), 100, LAN, new SplittableRandom(1), now);

    private record Sent(NodeId to, Packet packet) {}

    private static NodeId id(int number) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) number;
        return NodeId.of(bytes);
    }

    // ---- probing ----

    @Test
    void aNewMemberIsAskedAtOnceAndIsNotAliveBeforeItWasHeard() {
        admit(A);
        assertThat(state(A)).isEqualTo(MemberState.SUSPECT);
        pass(Duration.ofMillis(600));
        assertThat(to(A)).extracting(Packet::getBodyCase).contains(Packet.BodyCase.PING);
        assertThat(to(A).get(0).getClaimsList())
                .anySatisfy(
                        claim -> assertThat(MembershipCodec.id(claim.getId())).isEqualTo(A));
        receive(A, ack(pingTo(A)), alive(A, 7));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
        assertThat(membership.lastHeardNanos(A)).isEqualTo(now);
    }

    @Test
    void eachMemberHasItsTurnOncePerRound() {
        allAlive(A, B, C);
        List<NodeId> asked = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            sent.clear();
            pass(Duration.ofSeconds(1));
            for (Sent message : List.copyOf(sent)) {
                if (message.packet().hasPing()) {
                    asked.add(message.to());
                    receive(message.to(), ack(message.packet().getPing().getSequence()));
                }
            }
        }
        assertThat(asked).hasSize(6);
        assertThat(asked.subList(0, 3)).containsExactlyInAnyOrder(A, B, C);
        assertThat(asked.subList(3, 6)).containsExactlyInAnyOrder(A, B, C);
    }

    @Test
    void withoutAnAnswerOthersAreAskedAndWithoutAnyTheMemberIsSuspected() {
        allAlive(A, B, C);
        NodeId silent = nextAsked();
        pass(Duration.ofMillis(520));
        List<Sent> indirect =
                sent.stream().filter(one -> one.packet().hasIndirectPing()).toList();
        assertThat(indirect).hasSize(2).noneMatch(one -> one.to().equals(silent));
        assertThat(indirect)
                .allSatisfy(one -> assertThat(MembershipCodec.id(
                                one.packet().getIndirectPing().getTarget()))
                        .isEqualTo(silent));
        for (Sent one : indirect) {
            receive(
                    one.to(),
                    Packet.newBuilder()
                            .setNack(Nack.newBuilder()
                                    .setSequence(one.packet().getIndirectPing().getSequence())));
        }
        assertThat(state(silent)).isEqualTo(MemberState.ALIVE);
        pass(Duration.ofMillis(500));
        assertThat(state(silent)).isEqualTo(MemberState.SUSPECT);
        assertThat(membership.counters().suspicions()).isEqualTo(1);
        assertThat(membership.counters().localHealth())
                .as("the relays answered, so this node is sound")
                .isZero();
    }

    @Test
    void anAckThroughARelayClearsTheProbe() {
        allAlive(A, B, C);
        NodeId silent = nextAsked();
        pass(Duration.ofMillis(520));
        Sent relay = sent.stream()
                .filter(one -> one.packet().hasIndirectPing())
                .findFirst()
                .orElseThrow();
        receive(relay.to(), ack(relay.packet().getIndirectPing().getSequence()));
        pass(Duration.ofMillis(500));
        assertThat(state(silent)).isEqualTo(MemberState.ALIVE);
    }

    @Test
    void silentRelaysMakeThisNodeDoubtItself() {
        allAlive(A, B, C);
        nextAsked();
        pass(Duration.ofMillis(1100));
        assertThat(membership.counters().localHealth()).isEqualTo(2);
    }

    @Test
    void itRelaysAPingAndPassesTheAckOn() {
        allAlive(A, B);
        sent.clear();
        receive(
                A,
                Packet.newBuilder()
                        .setIndirectPing(
                                IndirectPing.newBuilder().setSequence(77).setTarget(MembershipCodec.bytes(B))));
        long sequence = pingTo(B);
        receive(B, ack(sequence));
        assertThat(to(A))
                .anySatisfy(packet -> assertThat(packet.getAck().getSequence()).isEqualTo(77));
        pass(Duration.ofSeconds(1));
        assertThat(to(A)).noneMatch(Packet::hasNack);
    }

    @Test
    void itTellsTheAskerWhenTheTargetIsSilent() {
        allAlive(A, B);
        sent.clear();
        receive(
                A,
                Packet.newBuilder()
                        .setIndirectPing(
                                IndirectPing.newBuilder().setSequence(78).setTarget(MembershipCodec.bytes(B))));
        pass(Duration.ofMillis(420));
        assertThat(to(A))
                .anySatisfy(packet -> assertThat(packet.getNack().getSequence()).isEqualTo(78));
    }

    @Test
    void aBrokenLinkBringsTheProbeForwardAndIsNoVerdict() {
        allAlive(A, B, C);
        sent.clear();
        step(new MembershipEvent.LinkDown(A));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
        Sent relay = sent.stream()
                .filter(one -> one.packet().hasIndirectPing())
                .findFirst()
                .orElseThrow();
        long sequence = relay.packet().getIndirectPing().getSequence();
        receive(relay.to(), ack(sequence));
        pass(Duration.ofMillis(300));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
        step(new MembershipEvent.LinkDown(A));
        pass(Duration.ofMillis(260));
        assertThat(state(A)).isEqualTo(MemberState.SUSPECT);
        assertThat(membership.counters().localHealth()).isZero();
    }

    @Test
    void aSilentLinkHasOthersAskAtOnceAndIsNoVerdict() {
        allAlive(A, B, C);
        sent.clear();
        step(new MembershipEvent.Silent(A));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
        Sent relay = sent.stream()
                .filter(one -> one.packet().hasIndirectPing())
                .findFirst()
                .orElseThrow();
        receive(relay.to(), ack(relay.packet().getIndirectPing().getSequence()));
        pass(Duration.ofMillis(600));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
        pass(Duration.ofMillis(500));
        step(new MembershipEvent.Silent(A));
        pass(Duration.ofMillis(520));
        assertThat(state(A)).isEqualTo(MemberState.SUSPECT);
    }

    @Test
    void ofManySilentLinksOneIsAskedAboutInAPeriodAndTheNextHasTheNextTurn() {
        allAlive(A, B, C, id(4), id(5));
        NodeId asked = nextAsked();
        receive(asked, ack(pingTo(asked)));
        sent.clear();
        List<NodeId> silent =
                Stream.of(A, B, C, id(4), id(5)).filter(id -> !id.equals(asked)).toList();
        step(new MembershipEvent.Silent(silent.get(0)));
        step(new MembershipEvent.Silent(silent.get(1)));
        step(new MembershipEvent.Silent(silent.get(2)));
        assertThat(sent.stream().filter(one -> one.packet().hasPing()).map(Sent::to))
                .containsExactly(silent.get(0));
        sent.clear();
        pass(Duration.ofMillis(1_000));
        assertThat(sent.stream().filter(one -> one.packet().hasPing()).map(Sent::to))
                .contains(silent.get(2))
                .doesNotContain(silent.get(3));
    }

    // ---- suspicion ----

    @Test
    void aSuspectHasLongAloneAndLessTimeWhenOthersConfirm() {
        Suspicion suspicion = new Suspicion(0, List.of(B), sec(3), sec(18), 3);
        assertThat(suspicion.deadlineNanos()).isEqualTo(sec(18));
        assertThat(suspicion.confirm(C)).isTrue();
        assertThat(suspicion.confirm(C)).as("the same accuser counts once").isFalse();
        assertThat(suspicion.deadlineNanos()).isEqualTo(sec(18) - (long) (sec(15) * Math.log(2) / Math.log(4)));
        assertThat(suspicion.confirm(SELF)).isTrue();
        assertThat(suspicion.confirm(id(4))).isTrue();
        assertThat(suspicion.deadlineNanos()).isEqualTo(sec(3));
        assertThat(suspicion.confirm(id(5))).as("enough").isFalse();
    }

    @Test
    void withEnoughAccusersItIsDeadAfterTheMinimum() {
        allAlive(A, B, C, id(4), id(5));
        receive(B, gossip(), suspect(A, 7, B, C, id(4), id(5)));
        pass(Duration.ofMillis(2_900));
        assertThat(state(A)).isEqualTo(MemberState.SUSPECT);
        pass(Duration.ofMillis(200));
        assertThat(state(A)).isEqualTo(MemberState.DEAD);
        assertThat(membership.counters().deaths()).isEqualTo(1);
    }

    @Test
    void aHigherIncarnationEndsTheSuspicionAndAnEqualOneDoesNot() {
        allAlive(A, B, C);
        receive(B, gossip(), suspect(A, 7, B));
        receive(B, gossip(), alive(A, 7));
        assertThat(state(A)).isEqualTo(MemberState.SUSPECT);
        receive(B, gossip(), alive(A, 8));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
        receive(B, gossip(), suspect(A, 7, B), dead(A, 7));
        assertThat(state(A)).as("yesterday's news").isEqualTo(MemberState.ALIVE);
        receive(B, gossip(), dead(A, 8));
        assertThat(state(A)).isEqualTo(MemberState.DEAD);
    }

    @Test
    void itRefutesWithAHigherIncarnationAndTellsTheAccusers() {
        allAlive(A, B, C);
        long before = membership.self().incarnation();
        sent.clear();
        receive(A, gossip(), suspect(SELF, before, B));
        assertThat(membership.self().incarnation()).isEqualTo(before + 1);
        assertThat(to(B))
                .anySatisfy(packet ->
                        assertThat(claimed(packet, SELF).incarnation()).isEqualTo(before + 1));
        assertThat(to(A))
                .as("and whoever said so")
                .anySatisfy(packet -> assertThat(claimed(packet, SELF).state()).isEqualTo(MemberState.ALIVE));
        assertThat(membership.counters().refutations()).isEqualTo(1);
        assertThat(membership.counters().localHealth()).isEqualTo(1);
        receive(C, gossip(), suspect(SELF, before, B));
        assertThat(membership.counters().refutations()).as("once is enough").isEqualTo(1);
    }

    @Test
    void aNodeThatStartedAnewGoesBeyondItsEarlierLife() {
        allAlive(A, B);
        receive(A, gossip(), dead(SELF, 5_000));
        assertThat(membership.self().incarnation()).isEqualTo(5_001);
        receive(A, gossip(), alive(SELF, 6_000));
        assertThat(membership.self().incarnation()).isEqualTo(6_001);
    }

    @Test
    void aNodeThatStartedAnewInTheSameSecondSaysWhatHasChanged() {
        admit(A);
        receive(
                A,
                gossip(),
                new Claim(SELF, MemberState.ALIVE, 100, List.of(), MemberMetadata.named("me before"), 100));
        assertThat(membership.self().incarnation()).isEqualTo(101);
    }

    @Test
    void aNodeThatStartedAnewIsToldOfItsEarlierLife() {
        allAlive(A);
        sent.clear();
        receive(A, Packet.newBuilder().setExchange(Exchange.getDefaultInstance()));
        assertThat(claimed(to(A).get(0), A).incarnation())
                .as("what is known of the one who asks")
                .isEqualTo(incarnation(A));
    }

    @Test
    void afterStandingStillItTrustsItselfLessAndAccusesNobody() {
        allAlive(A, B, C);
        receive(B, gossip(), suspect(A, 7, B, C));
        now += sec(60);
        step(new MembershipEvent.Tick());
        assertThat(state(A)).as("its refutation may be waiting to be read").isEqualTo(MemberState.SUSPECT);
        assertThat(state(B)).isEqualTo(MemberState.ALIVE);
        assertThat(membership.counters().late()).isEqualTo(1);
        assertThat(membership.counters().localHealth()).isPositive();
    }

    // ---- the dead, the left, the asleep ----

    @Test
    void theDeadAreAskedAgainRarelyAndToldWhatIsSaidOfThem() {
        allAlive(A, B);
        receive(B, gossip(), dead(A, 7));
        sent.clear();
        pass(Duration.ofSeconds(31));
        List<Packet> asked = to(A).stream().filter(Packet::hasPing).toList();
        assertThat(asked).hasSizeBetween(2, 4);
        assertThat(asked)
                .allSatisfy(packet -> assertThat(claimed(packet, A).state()).isEqualTo(MemberState.DEAD));
    }

    @Test
    void aLinkToADeadMemberAsksItAtOnceAndComparesEverything() {
        allAlive(A, B);
        receive(B, gossip(), dead(A, 7));
        sent.clear();
        step(new MembershipEvent.LinkUp(A));
        assertThat(to(A))
                .extracting(Packet::getBodyCase)
                .containsExactly(Packet.BodyCase.PING, Packet.BodyCase.EXCHANGE);
        sent.clear();
        step(new MembershipEvent.LinkUp(A));
        assertThat(to(A))
                .as("one exchange per second")
                .extracting(Packet::getBodyCase)
                .containsExactly(Packet.BodyCase.PING);
    }

    @Test
    void whoeverIsAwayIsNeitherAskedNorSuspected() {
        allAlive(A);
        receive(A, gossip(), claim(A, MemberState.AWAY, 8));
        sent.clear();
        step(new MembershipEvent.LinkDown(A));
        pass(Duration.ofSeconds(60));
        assertThat(state(A)).isEqualTo(MemberState.AWAY);
        assertThat(to(A)).isEmpty();
        receive(A, gossip(), alive(A, 9));
        assertThat(state(A)).isEqualTo(MemberState.ALIVE);
    }

    @Test
    void asleepItAsksNobodyAndAwakeItDoesAgain() {
        allAlive(A);
        sent.clear();
        step(new MembershipEvent.Sleep(true));
        assertThat(claimed(to(A).get(0), SELF).state()).isEqualTo(MemberState.AWAY);
        pass(Duration.ofSeconds(10));
        assertThat(to(A)).noneMatch(Packet::hasPing);
        step(new MembershipEvent.Sleep(false));
        pass(Duration.ofSeconds(2));
        assertThat(to(A)).anyMatch(Packet::hasPing);
        assertThat(membership.self().state()).isEqualTo(MemberState.ALIVE);
    }

    @Test
    void asleepItComparesAllThatIsKnownNowAndThenAndWhenALinkComesUp() {
        allAlive(A);
        step(new MembershipEvent.Sleep(true));
        pass(Duration.ofSeconds(10));
        sent.clear();
        pass(Duration.ofHours(1));
        assertThat(sent)
                .as("four wake-ups an hour")
                .hasSizeBetween(3, 5)
                .allMatch(one -> one.packet().hasExchange());
        sent.clear();
        step(new MembershipEvent.LinkUp(A));
        assertThat(to(A))
                .as("what happened meanwhile is asked for at once")
                .extracting(Packet::getBodyCase)
                .containsExactly(Packet.BodyCase.PING, Packet.BodyCase.EXCHANGE);
    }

    @Test
    void whoIsFarFromAllAsksMoreSeldomAndNearAgainAsBefore() {
        allAlive(A);
        step(new MembershipEvent.Pace(MembershipConfig.wan()));
        passAnswering(Duration.ofSeconds(6));
        sent.clear();
        passAnswering(Duration.ofSeconds(60));
        assertThat(to(A).stream().filter(Packet::hasPing)).hasSizeBetween(11, 13);
        step(new MembershipEvent.Pace(LAN));
        passAnswering(Duration.ofSeconds(2));
        sent.clear();
        passAnswering(Duration.ofSeconds(60));
        assertThat(to(A).stream().filter(Packet::hasPing)).hasSizeBetween(57, 62);
    }

    @Test
    void leavingIsToldAtOnceAndNotTakenBack() {
        allAlive(A, B);
        sent.clear();
        step(new MembershipEvent.Leave());
        assertThat(sent)
                .hasSize(2)
                .allSatisfy(
                        one -> assertThat(claimed(one.packet(), SELF).state()).isEqualTo(MemberState.LEFT));
        receive(A, gossip(), dead(SELF, membership.self().incarnation() + 5));
        assertThat(membership.self().state()).isEqualTo(MemberState.LEFT);
        assertThat(membership.counters().refutations()).isZero();
        pass(Duration.ofSeconds(30));
        assertThat(sent).noneMatch(one -> one.packet().hasPing());
    }

    // ---- telling ----

    @Test
    void newsIsToldABoundedNumberOfTimes() {
        allAlive(A, B, C);
        passAnswering(Duration.ofSeconds(3));
        sent.clear();
        receive(A, gossip(), alive(B, 50));
        passAnswering(Duration.ofSeconds(8));
        long told = sent.stream()
                .filter(one -> one.packet().getClaimsList().stream().anyMatch(claim -> claim.getIncarnation() == 50))
                .count();
        assertThat(told).isEqualTo(4);
    }

    @Test
    void anExchangeIsAnsweredWithEverythingKnown() {
        allAlive(A, B, C);
        sent.clear();
        receive(A, Packet.newBuilder().setExchange(Exchange.newBuilder()), alive(B, 60));
        assertThat(incarnation(B)).isEqualTo(60);
        Packet answer = to(A).stream().filter(Packet::hasExchange).findFirst().orElseThrow();
        assertThat(answer.getExchange().getAnswer()).isTrue();
        assertThat(answer.getClaimsList().stream()
                        .map(claim -> MembershipCodec.id(claim.getId()))
                        .toList())
                .contains(SELF, B, C);
        sent.clear();
        receive(A, Packet.newBuilder().setExchange(Exchange.newBuilder().setAnswer(true)));
        assertThat(to(A)).as("an answer is not answered").isEmpty();
    }

    @Test
    void metadataTravelsWithTheMembersOwnClaimsAndTheLatestWins() {
        allAlive(A, B);
        MemberMetadata said =
                new MemberMetadata("attic", "10.0.0.7:80", List.of("10.0.0.7:4000"), "1.2", Map.of("k", "v"));
        receive(B, gossip(), new Claim(A, MemberState.ALIVE, 9, List.of(), said, 9));
        assertThat(member(A).metadata()).isEqualTo(said);
        receive(B, gossip(), new Claim(A, MemberState.ALIVE, 9, List.of(), MemberMetadata.named("old"), 8));
        assertThat(member(A).metadata()).isEqualTo(said);
        long before = membership.self().incarnation();
        step(new MembershipEvent.Describe(MemberMetadata.named("renamed")));
        assertThat(membership.self().incarnation()).isEqualTo(before + 1);
        assertThat(membership.self().metadata().name()).isEqualTo("renamed");
    }

    @Test
    void whoeverIsNoLongerAdmittedIsForgotten() {
        allAlive(A, B);
        List<MembershipEffect> effects = step(new MembershipEvent.Admitted(Map.of(A, MemberMetadata.named("a"))));
        assertThat(effects).contains(new MembershipEffect.Removed(B));
        assertThat(membership.others()).extracting(Member::id).containsExactly(A);
        sent.clear();
        receive(B, ping(5));
        assertThat(to(B)).isEmpty();
        assertThat(membership.counters().strangers()).isEqualTo(1);
    }

    @Test
    void garbageIsCountedAndDropped() {
        allAlive(A, B);
        long garbage = membership.counters().garbage();
        sent.clear();
        raw(A, new byte[] {1, 2, 3});
        raw(A, new byte[0]);
        raw(A, new byte[(1 << 20) + 1]);
        raw(
                A,
                Packet.newBuilder()
                        .setGossip(Gossip.getDefaultInstance())
                        .addClaims(sh.fazt.protocol.membership.v1.Claim.newBuilder()
                                .setId(ByteString.copyFromUtf8("short"))
                                .setStateValue(99))
                        .build()
                        .toByteArray());
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 500; i++) {
            byte[] noise = ack(i).build().toByteArray().clone();
            byte[] longer = new byte[noise.length + random.nextInt(40)];
            random.nextBytes(longer);
            raw(A, longer);
        }
        assertThat(membership.counters().garbage()).isGreaterThan(garbage + 400);
        assertThat(state(B)).isEqualTo(MemberState.ALIVE);
    }

    @Test
    void theSameEventsGiveTheSameEffects() {
        assertThat(new MembershipTest().transcript()).isEqualTo(new MembershipTest().transcript());
    }

    private String transcript() {
        allAlive(A, B, C);
        receive(B, gossip(), suspect(A, 7, B));
        pass(Duration.ofSeconds(20));
        return sent.toString();
    }

    @Test
    void constantsAreChecked() {
        assertThatThrownBy(() -> new Membership(SELF, MemberMetadata.named(""), 0, LAN, new SplittableRandom(), 0))
                .hasMessageContaining("incarnation");
        assertThatThrownBy(() -> MemberMetadata.named("x".repeat(257))).hasMessageContaining("at most 256");
        assertThat(MembershipConfig.wan().probePeriod()).isEqualTo(Duration.ofSeconds(5));
    }

    // ---- playing the others ----

    private static long sec(long seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }

    private void admit(NodeId... ids) {
        Map<NodeId, MemberMetadata> members = new LinkedHashMap<>();
        for (NodeId id : ids) {
            members.put(id, MemberMetadata.named("x"));
        }
        members.put(SELF, MemberMetadata.named("me"));
        step(new MembershipEvent.Admitted(members));
    }

    private void allAlive(NodeId... ids) {
        admit(ids);
        for (NodeId id : ids) {
            receive(id, gossip(), alive(id, 7));
        }
        assertThat(membership.others()).allMatch(member -> member.state() == MemberState.ALIVE);
    }

    /** Answers what was asked so far, and returns who is asked next. */
    private NodeId nextAsked() {
        while (true) {
            for (Sent message : List.copyOf(sent)) {
                if (message.packet().hasPing()) {
                    receive(message.to(), ack(message.packet().getPing().getSequence()));
                }
            }
            sent.clear();
            pass(Duration.ofMillis(10));
            for (Sent message : sent) {
                if (message.packet().hasPing()) {
                    return message.to();
                }
            }
        }
    }

    /** Lets time pass while everyone answers. */
    private void passAnswering(Duration time) {
        int answered = 0;
        for (long end = now + time.toNanos(); now < end; ) {
            pass(Duration.ofMillis(50));
            for (; answered < sent.size(); answered++) {
                Sent message = sent.get(answered);
                if (message.packet().hasPing()) {
                    receive(message.to(), ack(message.packet().getPing().getSequence()));
                }
            }
        }
    }

    private List<MembershipEffect> step(MembershipEvent event) {
        List<MembershipEffect> effects = membership.step(event, now);
        for (MembershipEffect effect : effects) {
            if (effect instanceof MembershipEffect.Send send) {
                Packet packet = Objects.requireNonNull(MembershipCodec.packet(send.message()), "garbage sent");
                sent.add(new Sent(send.to(), packet));
            }
        }
        return effects;
    }

    /** Lets time pass as the service does: a tick whenever one is wanted. */
    private void pass(Duration time) {
        long end = now + time.toNanos();
        while (membership.wakeNanos() <= end) {
            now = Math.max(now, membership.wakeNanos());
            step(new MembershipEvent.Tick());
        }
        now = end;
    }

    private void receive(NodeId from, Packet.Builder packet, Claim... claims) {
        for (Claim claim : claims) {
            packet.addClaims(MembershipCodec.wire(claim));
        }
        raw(from, packet.build().toByteArray());
    }

    private void raw(NodeId from, byte[] message) {
        step(new MembershipEvent.Received(from, message));
    }

    private List<Packet> to(NodeId id) {
        return sent.stream()
                .filter(one -> one.to().equals(id))
                .map(Sent::packet)
                .toList();
    }

    private long pingTo(NodeId id) {
        List<Packet> pings = to(id).stream().filter(Packet::hasPing).toList();
        return pings.get(pings.size() - 1).getPing().getSequence();
    }

    private Member member(NodeId id) {
        return membership.others().stream()
                .filter(member -> member.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private MemberState state(NodeId id) {
        return member(id).state();
    }

    private long incarnation(NodeId id) {
        return member(id).incarnation();
    }

    private static Claim claimed(Packet packet, NodeId of) {
        return packet.getClaimsList().stream()
                .map(MembershipCodec::claim)
                .filter(claim -> claim != null && claim.id().equals(of))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no claim of " + of.shortText() + " in " + packet));
    }

    private static Packet.Builder ping(long sequence) {
        return Packet.newBuilder().setPing(Ping.newBuilder().setSequence(sequence));
    }

    private static Packet.Builder ack(long sequence) {
        return Packet.newBuilder().setAck(Ack.newBuilder().setSequence(sequence));
    }

    private static Packet.Builder gossip() {
        return Packet.newBuilder().setGossip(Gossip.getDefaultInstance());
    }

    private static Claim alive(NodeId id, long incarnation) {
        return claim(id, MemberState.ALIVE, incarnation);
    }

    private static Claim dead(NodeId id, long incarnation) {
        return claim(id, MemberState.DEAD, incarnation);
    }

    private static Claim suspect(NodeId id, long incarnation, NodeId... accusers) {
        return new Claim(id, MemberState.SUSPECT, incarnation, List.of(accusers), null, 0);
    }

    private static Claim claim(NodeId id, MemberState state, long incarnation) {
        return new Claim(id, state, incarnation, List.of(), null, 0);
    }
}

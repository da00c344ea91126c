package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore.Applied;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

class SyncCoreTest {
    private static final Scope SCOPE = new Scope("fazt_app_sync");
    private static final NodeId PEER = NodeId.of(new byte[32]);
    private static final Origin SELF = new Origin(PEER, 7);
    private static final VersionVector HERE = VersionVector.EMPTY.with(SELF, 3);

    private Origin origin = SELF;
    private VersionVector here = HERE;
    /** Null while nothing is in doubt. */
    private @Nullable VersionVector certain;

    private final SyncCore core = new SyncCore(new SyncCore.View() {
        @Override
        public Origin origin() {
            return origin;
        }

        @Override
        public Map<Scope, VersionVector> vectors() {
            return Map.of(SCOPE, here);
        }

        @Override
        public VersionVector vector(Scope scope) {
            return here;
        }

        @Override
        public boolean inDoubt() {
            return certain != null;
        }

        @Override
        public VersionVector certain(Scope scope) {
            return certain == null ? here : certain;
        }

        @Override
        public long digest(Scope scope) {
            return 0;
        }

        @Override
        public Holders holders() {
            return Holders.EVERYBODY;
        }
    });

    @Test
    void aPeerThatLacksSomethingIsToldAgainAndAskedAfterTwiceAsLongEachTime() {
        core.linkUp(PEER, 0);
        assertThat(core.tick(0)).containsExactly(new SyncEffect.TellReach(PEER, Set.of(PEER)));
        assertThat(core.tick(seconds(14))).isEmpty();
        assertThat(core.tick(seconds(15))).containsExactly(new SyncEffect.Tell(PEER, Map.of(SCOPE, HERE), true));
        assertThat(core.tick(seconds(44))).isEmpty();
        assertThat(core.tick(seconds(45))).hasSize(1);
        core.told(PEER, Map.of(SCOPE, HERE), Map.of(), false, seconds(46));
        assertThat(core.tick(seconds(3000))).as("nothing is lacking").isEmpty();
    }

    @Test
    void newsAreToldAtOnceAtFirstAndOnceASecondWhenTheyGoOn() {
        core.linkUp(PEER, 0);
        core.tick(0);
        List<Long> told = new ArrayList<>();
        for (long millis = 250; millis <= 5_000; millis += 250) {
            core.committed(SCOPE, null);
            if (core.tick(millis * 1_000_000).contains(new SyncEffect.Tell(PEER, Map.of(SCOPE, HERE), false))) {
                told.add(millis);
            }
        }
        assertThat(told).containsExactly(250L, 500L, 1_000L, 2_000L, 3_000L, 4_000L, 5_000L);
    }

    @Test
    void whoIsForgottenIsNotRememberedWhenItsLinkEnds() {
        core.linkUp(PEER, 0);
        core.forget(PEER);
        core.linkDown(PEER, 1);
        core.pushDropped(PEER, SCOPE);
        assertThat(core.known()).isEmpty();
    }

    @Test
    void whatOnlyOnePeerHasIsToldApart() {
        Origin writer = new Origin(node(4), 1);
        VersionVector all = HERE.with(writer, 5);
        core.linkUp(node(4), 0);
        core.linkUp(node(5), 0);
        assertThat(core.onlyAt(node(4))).isEmpty();
        core.told(node(4), Map.of(SCOPE, all), Map.of(), false, 0);
        assertThat(core.onlyAt(node(4))).containsExactly(Map.entry(SCOPE, 5L));
        core.told(node(5), Map.of(SCOPE, HERE.with(writer, 3)), Map.of(), false, 0);
        core.linkDown(node(5), 0);
        assertThat(core.onlyAt(node(4)))
                .as("what another told holds also while it is not linked")
                .containsExactly(Map.entry(SCOPE, 2L));
        assertThat(core.onlyAt(node(5))).isEmpty();
        here = all;
        assertThat(core.onlyAt(node(4))).isEmpty();
    }

    @Test
    void whoeverIsAskedTells() {
        core.linkUp(PEER, 0);
        assertThat(core.tick(0)).containsExactly(new SyncEffect.TellReach(PEER, Set.of(PEER)));
        core.told(PEER, Map.of(SCOPE, HERE), Map.of(), true, seconds(1));
        assertThat(core.tick(seconds(2))).isEqualTo(List.of(new SyncEffect.Tell(PEER, Map.of(SCOPE, HERE), false)));
    }

    @Test
    void whatAnotherWroteIsPassedOnToWhomItDoesNotReach() {
        Origin writer = new Origin(node(4), 1);
        Changeset change = change(writer, 1);
        for (int i = 4; i <= 6; i++) {
            core.linkUp(node(i), 0);
        }
        core.pushed(node(4), change, 0);
        assertThat(pushes(core.committed(SCOPE, change)))
                .as("nothing is known of them yet")
                .containsExactlyInAnyOrder(node(5), node(6));
        core.toldReach(node(5), Set.of(PEER, node(4)));
        core.toldReach(node(6), Set.of(PEER));
        core.pushed(node(4), change(writer, 2), 0);
        assertThat(pushes(core.committed(SCOPE, change(writer, 2)))).containsExactly(node(6));
        Changeset own = change(SELF, 4);
        here = here.with(SELF, 4);
        assertThat(pushes(core.committed(SCOPE, own)))
                .as("what is written here goes to everybody")
                .containsExactlyInAnyOrder(node(4), node(5), node(6));
    }

    @Test
    void whoIsLinkedWithWhomIsToldAtATurnAndSoonerWhenALinkBroke() {
        core.linkUp(node(4), 0);
        core.linkUp(node(5), 0);
        assertThat(core.tick(seconds(1)))
                .contains(
                        new SyncEffect.TellReach(node(4), Set.of(node(4), node(5))),
                        new SyncEffect.TellReach(node(5), Set.of(node(4), node(5))));
        assertThat(core.tick(seconds(2))).noneMatch(effect -> effect instanceof SyncEffect.TellReach);
        core.linkUp(node(6), seconds(2));
        assertThat(core.tick(seconds(2))).isNotEmpty();
        core.linkUp(node(7), seconds(2));
        assertThat(core.tick(seconds(2))).as("not so soon").noneMatch(effect -> effect instanceof SyncEffect.TellReach);
        core.linkDown(node(5), seconds(2));
        assertThat(core.tick(seconds(2)))
                .as("who lost a link needs the others now")
                .contains(new SyncEffect.TellReach(node(4), Set.of(node(4), node(6), node(7))));
        core.linkDown(node(5), seconds(4));
        assertThat(core.tick(seconds(4))).noneMatch(effect -> effect instanceof SyncEffect.TellReach);
    }

    @Test
    void whatAPeerToldOnAnEarlierLinkHoldsNoMore() {
        Origin writer = new Origin(node(4), 1);
        core.linkUp(node(4), 0);
        core.linkUp(node(5), 0);
        core.toldReach(node(5), Set.of(node(4)));
        core.linkDown(node(5), 0);
        core.toldReach(node(5), Set.of(node(4)));
        core.linkUp(node(5), 0);
        core.pushed(node(4), change(writer, 1), 0);
        assertThat(pushes(core.committed(SCOPE, change(writer, 1)))).containsExactly(node(5));
    }

    /** Of what is here the last is in doubt. */
    private void doubt() {
        certain = here;
        here = here.with(SELF, here.get(SELF) + 1);
    }

    @Test
    void whatIsInDoubtIsNotPushedAndNothingIsTakenBeforeAllHaveToldWhatTheyHold() {
        doubt();
        core.linkUp(PEER, 0);
        core.linkUp(node(4), 0);
        assertThat(pushes(core.committed(SCOPE, change(SELF, here.get(SELF))))).isEmpty();
        Origin writer = new Origin(node(5), 1);
        assertThat(core.pushed(PEER, change(writer, 1), 0)).isEmpty();
        assertThat(core.told(PEER, Map.of(SCOPE, HERE.with(writer, 1)), Map.of(), false, 0))
                .isEmpty();
        assertThat(core.inStep(PEER)).isEmpty();
        assertThat(core.ahead(PEER)).isEqualTo(-1);
        assertThat(core.keeps(SCOPE, HERE)).isFalse();
        assertThat(core.told(node(4), Map.of(SCOPE, HERE), Map.of(), false, 0))
                .containsExactly(new SyncEffect.Settle());
        certain = null;
        assertThat(core.settled(0))
                .contains(new SyncEffect.Tell(PEER, null, false), new SyncEffect.Tell(node(4), null, false))
                .anyMatch(effect ->
                        effect instanceof SyncEffect.Pull pull && pull.from().equals(PEER));
    }

    @Test
    void whoTellsNothingIsAskedAgainAndWaitedForOnlyShortly() {
        doubt();
        core.linkUp(PEER, 0);
        core.linkUp(node(4), 0);
        core.told(PEER, Map.of(SCOPE, HERE), Map.of(), false, 0);
        assertThat(core.tick(seconds(1))).contains(new SyncEffect.Tell(node(4), Map.of(SCOPE, here), true));
        assertThat(core.tick(seconds(2))).doesNotContain(new SyncEffect.Settle());
        assertThat(core.tick(seconds(3))).contains(new SyncEffect.Settle());
    }

    @Test
    void whoHoldsMoreThanIsBeyondDoubtRefutesItThoughNotMoreThanIsHere() {
        doubt();
        core.linkUp(PEER, 0);
        core.linkUp(node(4), 0);
        assertThat(core.told(PEER, Map.of(SCOPE, here), Map.of(SCOPE, 7L), false, 0))
                .as("and the digest says nothing yet")
                .contains(new SyncEffect.OpenEpoch())
                .noneMatch(effect -> effect instanceof SyncEffect.Alarm);
        assertThat(core.told(node(4), Map.of(SCOPE, HERE), Map.of(), false, 0)).isEmpty();
        assertThat(core.tick(seconds(5))).doesNotContain(new SyncEffect.Settle());
    }

    private static Changeset change(Origin origin, long sequence) {
        return new Changeset(new Dot(SCOPE, origin, sequence), new Hlc(1), VersionVector.EMPTY, new byte[0]);
    }

    private static List<NodeId> pushes(List<SyncEffect> effects) {
        return effects.stream()
                .filter(effect -> effect instanceof SyncEffect.Push)
                .map(effect -> ((SyncEffect.Push) effect).to())
                .toList();
    }

    private static final NodeId LIAR = node(1);
    private static final VersionVector CLAIM = HERE.with(new Origin(LIAR, 1), 9);

    private static NodeId node(int number) {
        byte[] id = new byte[32];
        id[31] = (byte) number;
        return NodeId.of(id);
    }

    private static List<SyncEffect.Pull> pulls(List<SyncEffect> effects) {
        return effects.stream()
                .filter(SyncEffect.Pull.class::isInstance)
                .map(SyncEffect.Pull.class::cast)
                .toList();
    }

    private List<SyncEffect.Pull> say(VersionVector vector, long nanos) {
        return pulls(core.told(LIAR, Map.of(SCOPE, vector), Map.of(), false, nanos));
    }

    /** When the next pull begins, by quarters of a second. */
    private long nextPull(long nanos, List<SyncEffect.Pull> pull) {
        for (long now = nanos; now < nanos + seconds(600); now += seconds(1) / 4) {
            pull.clear();
            pull.addAll(pulls(core.tick(now)));
            if (!pull.isEmpty()) {
                return now;
            }
        }
        throw new AssertionError("never pulled again");
    }

    @Test
    void aPullThatIsRefusedIsTriedEverLaterUntilSomethingChanges() {
        core.linkUp(LIAR, 0);
        List<SyncEffect.Pull> pull = new ArrayList<>(say(CLAIM, 0));
        long now = 0;
        for (int wait : new int[] {1, 2, 4, 8, 16, 32, 64, 120, 120}) {
            assertThat(core.pulled(pull.get(0), null, null, now)).isEmpty();
            long again = nextPull(now, pull);
            assertThat(again - now).isEqualTo(seconds(wait));
            now = again;
        }
        core.pulled(pull.get(0), null, null, now);
        assertThat(say(CLAIM, now + seconds(20))).as("nothing new").isEmpty();
        assertThat(say(CLAIM.with(new Origin(LIAR, 1), 10), now + seconds(21))).hasSize(1);
    }

    @Test
    void newsDoNotMakeARefusedPullBusy() {
        core.linkUp(LIAR, 0);
        int tried = 0;
        long sequence = 9;
        for (long now = 0; now < seconds(600); now += seconds(1)) {
            for (SyncEffect.Pull pull : say(CLAIM.with(new Origin(LIAR, 1), ++sequence), now)) {
                tried++;
                core.pulled(pull, null, null, now);
            }
        }
        assertThat(tried).isBetween(100, 125);
    }

    @Test
    void aNewLinkTriesAtOnceWhatFailedOverTheFormer() {
        core.linkUp(LIAR, 0);
        core.pulled(say(CLAIM, 0).get(0), null, null, 0);
        core.linkDown(LIAR, 1);
        core.linkUp(LIAR, 2);
        assertThat(say(CLAIM, 3)).hasSize(1);
    }

    @Test
    void whoeverSaysMoreThanItSendsTwiceOnOneLinkHasLied() {
        core.linkUp(LIAR, 0);
        assertThat(core.pulled(say(CLAIM, 0).get(0), HERE, HERE, 1))
                .as("once may be a word of a former link")
                .isEmpty();
        assertThat(pulls(core.tick(seconds(30))))
                .as("it is believed what it sent")
                .isEmpty();
        assertThat(core.ahead(LIAR)).isZero();
        assertThat(core.pulled(say(CLAIM, seconds(31)).get(0), HERE, HERE, seconds(31)))
                .singleElement()
                .isInstanceOfSatisfying(SyncEffect.Offence.class, offence -> {
                    assertThat(offence.peer()).isEqualTo(LIAR);
                    assertThat(offence.kind()).isEqualTo(Offence.CLAIMS_WITHOUT_ROWS);
                });
    }

    @Test
    void aPushIsAClaimAsWell() {
        core.linkUp(LIAR, 0);
        Dot dot = new Dot(SCOPE, new Origin(LIAR, 1), 9);
        Changeset ahead = new Changeset(dot, new Hlc(1), HERE.with(new Origin(LIAR, 1), 8), new byte[0]);
        for (int i = 0; i < 2; i++) {
            core.pushed(LIAR, ahead, 0);
            SyncEffect.Pull pull = pulls(core.applied(LIAR, dot, Applied.NEEDS_PULL, seconds(10 * i)))
                    .get(0);
            List<SyncEffect> effects = core.pulled(pull, HERE, HERE, seconds(10 * i));
            assertThat(effects).as("and no pull follows at once").hasSize(i);
        }
    }

    @Test
    void whatWasSaidOnAFormerLinkIsNoLie() {
        for (int i = 0; i < 5; i++) {
            core.linkUp(LIAR, seconds(10 * i));
            SyncEffect.Pull pull = say(CLAIM, seconds(10 * i)).get(0);
            assertThat(core.pulled(pull, HERE, HERE, seconds(10 * i))).isEmpty();
            core.linkDown(LIAR, seconds(10 * i + 1));
        }
        core.linkUp(LIAR, seconds(60));
        SyncEffect.Pull late = say(CLAIM, seconds(60)).get(0);
        core.linkDown(LIAR, seconds(61));
        core.linkUp(LIAR, seconds(62));
        // Restored from an old copy: it says less than it did, and what it still held comes late.
        assertThat(core.pulled(late, HERE, HERE, seconds(63))).isEmpty();
    }

    @Test
    void whoeverLetGoOfAScopeHasNotLied() {
        core.linkUp(LIAR, 0);
        for (int i = 0; i < 5; i++) {
            SyncEffect.Pull pull = say(CLAIM, seconds(1000 * i)).get(0);
            assertThat(core.pulled(pull, VersionVector.EMPTY, VersionVector.EMPTY, seconds(1000 * i)))
                    .isEmpty();
        }
    }

    @Test
    void anAnswerSlowerThanItsPatienceIsNotHeldAgainstTheNextPull() {
        core.linkUp(LIAR, 0);
        SyncEffect.Pull slow = say(CLAIM, 0).get(0);
        VersionVector more = CLAIM.with(new Origin(LIAR, 1), 20);
        say(more, seconds(1));
        assertThat(pulls(core.tick(seconds(61)))).hasSize(1);
        assertThat(core.pulled(slow, CLAIM, CLAIM, seconds(62))).isEmpty();
        assertThat(core.ahead(LIAR)).isPositive();
    }

    @Test
    void oneEpochIsOpenedThoughManySayThatThisIsAnOldCopy() {
        VersionVector more = HERE.with(SELF, 4);
        int opened = 0;
        for (int i = 1; i < 5; i++) {
            core.linkUp(node(i), 0);
            opened += (int) core.told(node(i), Map.of(SCOPE, more), Map.of(), false, 0).stream()
                    .filter(SyncEffect.OpenEpoch.class::isInstance)
                    .count();
        }
        assertThat(opened).isEqualTo(1);
        assertThat(core.told(LIAR, Map.of(SCOPE, more), Map.of(), false, seconds(61)))
                .as("it came to nothing")
                .contains(new SyncEffect.OpenEpoch());
    }

    @Test
    void whoeverGoesOnClaimingMoreIsAnsweredByEverFewerEpochs() {
        core.linkUp(LIAR, 0);
        VersionVector more = HERE.with(SELF, 4);
        List<Integer> opened = new ArrayList<>();
        for (int second = 0; second < 3600; second++) {
            // The epoch is opened at once, and heard of by the liar as soon.
            origin = new Origin(PEER, 8 + second);
            here = HERE.with(origin, 1);
            more = more.with(origin, 2);
            if (core.told(LIAR, Map.of(SCOPE, more), Map.of(), false, seconds(second)).stream()
                    .anyMatch(SyncEffect.OpenEpoch.class::isInstance)) {
                opened.add(second);
            }
        }
        assertThat(opened).startsWith(0, 1, 3, 7, 15, 31).hasSizeLessThan(16);
    }

    @Test
    void whatOthersHoldBeyondWhatThisNodeWroteIsDeniedToAllAndAgainUntilItIsOld() {
        NodeId other = node(8);
        core.linkUp(LIAR, 0);
        core.tick(0);
        Map<Scope, VersionVector> more = Map.of(SCOPE, HERE.with(SELF, 9));
        assertThat(core.told(LIAR, more, Map.of(), false, 0)).contains(new SyncEffect.Claimed(LIAR, SCOPE, SELF, 3, 9));
        SyncEffect.Deny denial = new SyncEffect.Deny(LIAR, Map.of(SCOPE, Map.of(SELF, 3L)));
        assertThat(core.tick(1)).contains(denial);
        assertThat(core.tick(seconds(59))).doesNotContain(denial);
        assertThat(core.tick(seconds(61))).contains(denial);
        assertThat(core.linkUp(other, seconds(62))).contains(new SyncEffect.Deny(other, denial.known()));
        assertThat(core.told(LIAR, more, Map.of(), false, seconds(300)))
                .as("it was told of once")
                .noneMatch(SyncEffect.Claimed.class::isInstance);
        assertThat(core.tick(seconds(890))).contains(denial);
        assertThat(core.tick(seconds(960))).doesNotContain(denial);
        assertThat(core.linkUp(other, seconds(961))).noneMatch(SyncEffect.Deny.class::isInstance);
    }

    @Test
    void whoHandedInWhatItsWriterDeniesIsNamedOnce() {
        Origin writer = new Origin(node(4), 1);
        Origin another = new Origin(node(5), 1);
        core.linkUp(LIAR, 0);
        core.linkUp(writer.node(), 0);
        core.applied(writer.node(), new Dot(SCOPE, writer, 1), Applied.DONE, 0);
        core.applied(LIAR, new Dot(SCOPE, writer, 2), Applied.DONE, 0);
        core.applied(node(6), new Dot(SCOPE, writer, 3), Applied.DONE, 0);
        SyncEffect.Pull pull = say(VersionVector.EMPTY.with(another, 5), 0).get(0);
        VersionVector brought = VersionVector.EMPTY.with(another, 5);
        core.pulled(pull, brought, brought, 0);
        assertThat(core.denied(node(6), Map.of(SCOPE, Map.of(writer, 1L))))
                .as("only of itself anybody has a say")
                .isEmpty();
        assertThat(core.denied(writer.node(), Map.of(SCOPE, Map.of(writer, 3L))))
                .isEmpty();
        assertThat(core.denied(writer.node(), Map.of(SCOPE, Map.of(writer, 1L))))
                .containsExactly(new SyncEffect.Disowned(SCOPE, writer, 1, LIAR));
        assertThat(core.denied(writer.node(), Map.of(SCOPE, Map.of(writer, 1L))))
                .isEmpty();
        assertThat(core.denied(writer.node(), Map.of(SCOPE, Map.of(writer, 0L))))
                .as("it sent that itself")
                .containsExactly(new SyncEffect.Disowned(SCOPE, writer, 0, writer.node()));
        assertThat(core.denied(another.node(), Map.of(SCOPE, Map.of(another, 4L))))
                .containsExactly(new SyncEffect.Disowned(SCOPE, another, 4, LIAR));
    }

    @Test
    void whatAPeerTellsFillsNoMemory() {
        core.linkUp(LIAR, 0);
        List<SyncEffect> effects = new ArrayList<>();
        for (int i = 0; effects.isEmpty(); i++) {
            assertThat(i).isLessThan(SyncCore.MOST_TOLD / 1000 + 1);
            Map<Scope, VersionVector> flood = new HashMap<>();
            for (int n = 0; n < 1000; n++) {
                flood.put(new Scope("fazt_app_" + i + "_" + n), HERE);
            }
            core.told(LIAR, flood, Map.of(), false, 0).stream()
                    .filter(SyncEffect.Offence.class::isInstance)
                    .forEach(effects::add);
        }
        assertThat(effects)
                .first()
                .isInstanceOfSatisfying(
                        SyncEffect.Offence.class,
                        offence -> assertThat(offence.kind()).isEqualTo(Offence.TELLS_TOO_MUCH));
        assertThat(say(CLAIM, seconds(1))).as("no room, no pull").isEmpty();
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}

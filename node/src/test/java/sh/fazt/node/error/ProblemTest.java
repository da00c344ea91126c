package sh.fazt.node.error;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.hosting.HostingException;
import sh.fazt.hosting.release.FunctionCheck;
import sh.fazt.hosting.release.SyntaxException;
import sh.fazt.link.LinkException;
import sh.fazt.runtime.Result;

class ProblemTest {
    @Test
    void keepsTheMessageOfEveryReasonAndNeverCallsItUnexpected() {
        for (CartridgeException.Reason reason : CartridgeException.Reason.values()) {
            check(Problem.of((Throwable) new CartridgeException(reason, "said")));
        }
        for (HostingException.Reason reason : HostingException.Reason.values()) {
            check(Problem.of((Throwable) new HostingException(reason, "said")));
        }
        for (LinkException.Reason reason : LinkException.Reason.values()) {
            check(Problem.of((Throwable) new LinkException(reason, "said")));
        }
        for (ConsensusException.Reason reason : ConsensusException.Reason.values()) {
            check(Problem.of(reason, "said"));
        }
        for (Refusal reason : Refusal.values()) {
            check(Problem.of(reason, "said"));
        }
        for (Result.Reason reason : Result.Reason.values()) {
            assertThat(Problem.of(new Result.Failed(reason, "said", "stack")).message())
                    .isEqualTo("said");
        }
    }

    private static void check(Problem problem) {
        assertThat(problem.message()).isEqualTo("said");
        assertThat(problem.code()).matches("[A-Z][A-Z_]+").isNotEqualTo("INTERNAL_ERROR");
        assertThat(problem.kind()).isNotEqualTo(Kind.INTERNAL);
    }

    @Test
    void tellsNothingOfWhatNobodyExpected() {
        Problem problem = Problem.of(new IllegalStateException("password=hunter2"));

        assertThat(problem.status()).isEqualTo(500);
        assertThat(problem.message()).doesNotContain("hunter2");
    }

    @Test
    void namesEveryProblemOfABundle() {
        Problem problem =
                Problem.of(new SyntaxException(List.of(new FunctionCheck.Problem("api/main.js", 1, 2, "no"))));

        assertThat(problem.status()).isEqualTo(422);
        assertThat(problem.details())
                .isEqualTo(Map.of("problems", List.of(new FunctionCheck.Problem("api/main.js", 1, 2, "no"))));
    }

    @Test
    void saysOverloadAsOverloadOnEverySurface() {
        Problem problem = Problem.of((Throwable) new CartridgeException(CartridgeException.Reason.OVERLOADED, "full"));

        assertThat(problem.status()).isEqualTo(503);
        assertThat(problem.kind().retry()).isTrue();
        assertThat(problem.kind().grpc()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void neverCallsAProblemASuccess() {
        for (Kind kind : Kind.values()) {
            assertThat(kind.status()).isBetween(400, 599);
            assertThat(kind.grpc()).isNotEqualTo(Status.Code.OK);
        }
    }
}

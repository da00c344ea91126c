package sh.fazt.e2e;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may import whom: architecture of the house, section 2. */
class ArchitectureTest {
    private static JavaClasses ours;

    @BeforeAll
    static void read() {
        ours = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                // The tests of a room that come as a jar.
                .withImportOption(location -> !location.contains("-tests.jar"))
                .importPackages("sh.fazt");
    }

    @Test
    void hostingKnowsTheCartridgeAndNothingElseOfReplication() {
        noClasses()
                .that()
                .resideInAPackage("sh.fazt.hosting..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "sh.fazt.link..",
                        "sh.fazt.sync..",
                        "sh.fazt.membership..",
                        "sh.fazt.consensus..",
                        "sh.fazt.swarm..",
                        "sh.fazt.node..",
                        "sh.fazt.runtime..")
                .check(ours);
    }

    @Test
    void theRuntimeKnowsNobody() {
        noClasses()
                .that()
                .resideInAPackage("sh.fazt.runtime..")
                .should()
                .dependOnClassesThat(new com.tngtech.archunit.base.DescribedPredicate<>("other rooms of ours") {
                    @Override
                    public boolean test(com.tngtech.archunit.core.domain.JavaClass type) {
                        return type.getPackageName().startsWith("sh.fazt.")
                                && !type.getPackageName().startsWith("sh.fazt.runtime");
                    }
                })
                .check(ours);
    }

    @Test
    void theCommandKnowsTheNodeByHttpOnly() {
        noClasses()
                .that()
                .resideInAPackage("sh.fazt.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("sh.fazt.node..", "sh.fazt.hosting..", "sh.fazt.cartridge..", "sh.fazt.swarm..")
                .check(ours);
    }

    @Test
    void replicationKnowsNobodyAboveIt() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "sh.fazt.cartridge..",
                        "sh.fazt.blob..",
                        "sh.fazt.link..",
                        "sh.fazt.identity..",
                        "sh.fazt.discovery..",
                        "sh.fazt.membership..",
                        "sh.fazt.sync..",
                        "sh.fazt.consensus..",
                        "sh.fazt.swarm..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("sh.fazt.hosting..", "sh.fazt.node..", "sh.fazt.runtime..", "sh.fazt.cli..")
                .check(ours);
    }

    @Test
    void ratisStaysInConsensus() {
        confined("org.apache.ratis..", "sh.fazt.consensus..");
    }

    @Test
    void multicastDnsStaysInDiscovery() {
        confined("javax.jmdns..", "sh.fazt.discovery..");
    }

    @Test
    void sqlStaysInTheCartridge() {
        confined("java.sql..", "sh.fazt.cartridge..");
        confined("org.sqlite..", "sh.fazt.cartridge..");
    }

    @Test
    void nashornAndTheTranspilerStayInTheRuntime() {
        confined("org.openjdk.nashorn..", "sh.fazt.runtime..");
        confined("com.google.javascript..", "sh.fazt.runtime..");
    }

    @Test
    void nettyStaysWhereBytesAre() {
        noClasses()
                .that()
                .resideOutsideOfPackages("sh.fazt.node..", "sh.fazt.link..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.netty..")
                .check(ours);
    }

    @Test
    void roomsOfReplicationFormNoCircle() {
        slices().matching("sh.fazt.(link|membership|sync|consensus|swarm|cartridge|blob|identity|discovery)..")
                .should()
                .beFreeOfCycles()
                .check(ours);
    }

    private static void confined(String third, String room) {
        noClasses()
                .that()
                .resideOutsideOfPackage(room)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(third)
                .check(ours);
    }
}

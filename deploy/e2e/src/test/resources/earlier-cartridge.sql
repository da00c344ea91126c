-- The cartridge of a node at commit 2dbf15b (24 November 2026): swarm "mine", app "note", alias "blog".
-- The owner's password is fcvp8-ngxg2-afbfm-xzgs7.
PRAGMA application_id = 1717664372;
BEGIN TRANSACTION;
CREATE TABLE account (scope TEXT NOT NULL, name TEXT NOT NULL, role TEXT, salt BLOB, hash BLOB, iterations INTEGER, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, name));
INSERT INTO "account" VALUES('system','owner','owner',X'2C556F4A42B55BCF98AE8FEE27021BE5',X'ECD257FCEF47CCB76D3AAD92EB15A31A839BEACEA4AF3209F40C5AA0ECFB886E',600000,1,1,117682618614415360,0,NULL);
CREATE TABLE app (scope TEXT NOT NULL, id TEXT NOT NULL, name TEXT, created_at INTEGER, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, id));
INSERT INTO "app" VALUES('fazt_app_bh0y268bstez','fazt_app_bh0y268bstez','note',1795694273763,1,1,117682619925397504,0,NULL);
CREATE TABLE app_active (scope TEXT NOT NULL, id TEXT NOT NULL, release TEXT, at INTEGER, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, id));
INSERT INTO "app_active" VALUES('fazt_app_bh0y268bstez','fazt_app_bh0y268bstez','01m8bvg97307nb1kkz5padxn3g',1795694273763,1,1,117682619925397504,0,NULL);
CREATE TABLE config_answered (request TEXT PRIMARY KEY, idx INTEGER NOT NULL, outcome BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE config_entry (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
INSERT INTO "config_entry" VALUES('alias','blog',1,X'66617A745F6170705F62683079323638627374657A');
INSERT INTO "config_entry" VALUES('member','77aotnbgiy623jiw5w6s4gzzvt7rgmzn7ogyr4kptbv6nlhkcbdq',1,X'0A04686F6D65120F3132372E302E302E313A3335373135');
INSERT INTO "config_entry" VALUES('swarm','swarm',2,X'0A1065346A6A6F743334666C7761696E6F6B12046D696E651801');
CREATE TABLE fazt_blob (hash TEXT PRIMARY KEY, size INTEGER NOT NULL, complete INTEGER NOT NULL)
    WITHOUT ROWID;
INSERT INTO "fazt_blob" VALUES('453a21ca50e8e8dcffaba2c3df2c18dbfedf519a7d1d04e7ff4ab2af4f13b2e3',218,1);
INSERT INTO "fazt_blob" VALUES('4cbcd25c3a37dddcdc8d753bbd67bad354e17d6418f329c7d2e29307cbcef22f',36,1);
CREATE TABLE fazt_blob_chunk (hash TEXT NOT NULL, position INTEGER NOT NULL, chunk TEXT NOT NULL,
    start INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (hash, position)) WITHOUT ROWID;
INSERT INTO "fazt_blob_chunk" VALUES('453a21ca50e8e8dcffaba2c3df2c18dbfedf519a7d1d04e7ff4ab2af4f13b2e3',0,'453a21ca50e8e8dcffaba2c3df2c18dbfedf519a7d1d04e7ff4ab2af4f13b2e3',0,218);
INSERT INTO "fazt_blob_chunk" VALUES('4cbcd25c3a37dddcdc8d753bbd67bad354e17d6418f329c7d2e29307cbcef22f',0,'4cbcd25c3a37dddcdc8d753bbd67bad354e17d6418f329c7d2e29307cbcef22f',0,36);
CREATE TABLE fazt_chunk (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
INSERT INTO "fazt_chunk" VALUES(1,'453a21ca50e8e8dcffaba2c3df2c18dbfedf519a7d1d04e7ff4ab2af4f13b2e3',X'6173796E632066756E6374696F6E20616E737765722829207B0A202069662028726571756573742E6D6574686F64203D3D3D2027504F535427292061776169742066617A742E6170702E6B762E73657428276E6F7465272C20726571756573742E626F6479293B0A202072657475726E207B20626F64793A207B206E6F74653A2061776169742066617A742E6170702E6B762E67657428276E6F746527292C207669736974733A2061776169742066617A742E6170702E6B762E696E637228277669736974732729207D207D3B0A7D0A616E7377657228293B0A');
INSERT INTO "fazt_chunk" VALUES(2,'4cbcd25c3a37dddcdc8d753bbd67bad354e17d6418f329c7d2e29307cbcef22f',X'3C68313E4B6570742073696E636520746865206669727374206275696C643C2F68313E0A');
CREATE TABLE fazt_conflict (scope TEXT NOT NULL, loser TEXT NOT NULL, tbl TEXT NOT NULL, row_key BLOB NOT NULL, winner TEXT, loser_hlc INTEGER, loser_deleted INTEGER, loser_columns BLOB, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, loser, tbl, row_key));
CREATE TABLE fazt_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "fazt_meta" VALUES('epoch','1');
INSERT INTO "fazt_meta" VALUES('marker','355eab82-b01a-4877-b987-bf7df1725275');
INSERT INTO "fazt_meta" VALUES('node','77aotnbgiy623jiw5w6s4gzzvt7rgmzn7ogyr4kptbv6nlhkcbdq');
CREATE TABLE fazt_migration (room TEXT PRIMARY KEY, level INTEGER NOT NULL);
INSERT INTO "fazt_migration" VALUES('cartridge',1);
INSERT INTO "fazt_migration" VALUES('config',1);
INSERT INTO "fazt_migration" VALUES('app',0);
INSERT INTO "fazt_migration" VALUES('release',0);
INSERT INTO "fazt_migration" VALUES('data',0);
INSERT INTO "fazt_migration" VALUES('account',1);
INSERT INTO "fazt_migration" VALUES('consensus',1);
INSERT INTO "fazt_migration" VALUES('swarm',1);
CREATE TABLE fazt_origin (id INTEGER PRIMARY KEY, node BLOB NOT NULL, epoch INTEGER NOT NULL,
    UNIQUE (node, epoch));
INSERT INTO "fazt_origin" VALUES(1,X'FFC0E9B426463DADA516EDBD2E1B39ACFF13332DFB8D88F14F986BE6ACEA1047',1);
CREATE TABLE fazt_parked (scope TEXT NOT NULL, tbl TEXT NOT NULL, row_key BLOB NOT NULL,
    counter INTEGER NOT NULL, share INTEGER NOT NULL, origin INTEGER NOT NULL, seq INTEGER NOT NULL,
    hlc INTEGER NOT NULL, deleted INTEGER NOT NULL, columns BLOB NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (scope, tbl, row_key, share));
CREATE TABLE fazt_scope (scope TEXT PRIMARY KEY, digest INTEGER NOT NULL, hlc INTEGER NOT NULL)
    WITHOUT ROWID;
INSERT INTO "fazt_scope" VALUES('fazt_app_bh0y268bstez',7761388632178162160,117682619950301184);
INSERT INTO "fazt_scope" VALUES('system',6602378000857232329,117682618614415360);
CREATE TABLE fazt_vector (scope TEXT NOT NULL, origin INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (scope, origin)) WITHOUT ROWID;
INSERT INTO "fazt_vector" VALUES('fazt_app_bh0y268bstez',1,3);
INSERT INTO "fazt_vector" VALUES('system',1,1);
CREATE TABLE fazt_wanted (hash TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE kv (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT, expires_at INTEGER, generation TEXT, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, name));
INSERT INTO "kv" VALUES('fazt_app_bh0y268bstez','note','"old words"',NULL,NULL,1,2,117682619949449216,0,NULL);
CREATE TABLE kv_counter (scope TEXT NOT NULL, name TEXT NOT NULL, generation TEXT NOT NULL, value INTEGER, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, name, generation, _origin));
INSERT INTO "kv_counter" VALUES('fazt_app_bh0y268bstez','visits','',1,1,3,117682619950301184,0,NULL);
CREATE TABLE raft_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "raft_state" VALUES('applied','1:21');
INSERT INTO "raft_state" VALUES('group','a97f1d42-b8d4-49e6-9c45-2d8a4e02b8fe');
INSERT INTO "raft_state" VALUES('incarnation','eclslw6w5poo');
CREATE TABLE release (scope TEXT NOT NULL, id TEXT NOT NULL, node TEXT, created_at INTEGER, files INTEGER, bytes INTEGER, spa INTEGER, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, id));
INSERT INTO "release" VALUES('fazt_app_bh0y268bstez','01m8bvg97307nb1kkz5padxn3g','home',1795694273763,2,254,0,1,1,117682619925397504,0,NULL);
CREATE TABLE release_file (scope TEXT NOT NULL, release TEXT NOT NULL, path TEXT NOT NULL, hash TEXT, size INTEGER, _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL, _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (scope, release, path));
INSERT INTO "release_file" VALUES('fazt_app_bh0y268bstez','01m8bvg97307nb1kkz5padxn3g','api/main.js','453a21ca50e8e8dcffaba2c3df2c18dbfedf519a7d1d04e7ff4ab2af4f13b2e3',218,1,1,117682619925397504,0,NULL);
INSERT INTO "release_file" VALUES('fazt_app_bh0y268bstez','01m8bvg97307nb1kkz5padxn3g','index.html','4cbcd25c3a37dddcdc8d753bbd67bad354e17d6418f329c7d2e29307cbcef22f',36,1,1,117682619925397504,0,NULL);
CREATE TABLE session (token TEXT PRIMARY KEY, name TEXT NOT NULL, expires_at INTEGER NOT NULL)
    WITHOUT ROWID;
INSERT INTO "session" VALUES('d71afed8fea97f4b05c1b38dece692873ec1078f7702c19fbd6210b380250364','owner',1796299074309);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE swarm_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX fazt_parked_dots ON fazt_parked (scope, origin, seq);
CREATE INDEX fazt_blob_chunk_uses ON fazt_blob_chunk (chunk);
CREATE INDEX app__dots ON app (scope, _origin, _seq);
CREATE VIEW app_live AS SELECT scope, id, name, created_at FROM app WHERE _deleted = 0;
CREATE TRIGGER app__guard_insert BEFORE INSERT ON app WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'app is replicated: it is written through the node only'); END;
CREATE TRIGGER app__guard_update BEFORE UPDATE ON app WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'app is replicated: it is written through the node only'); END;
CREATE TRIGGER app__guard_delete BEFORE DELETE ON app WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'app is replicated: it is written through the node only'); END;
CREATE INDEX release_file__dots ON release_file (scope, _origin, _seq);
CREATE VIEW release_file_live AS SELECT scope, release, path, hash, size FROM release_file WHERE _deleted = 0;
CREATE TRIGGER release_file__guard_insert BEFORE INSERT ON release_file WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'release_file is replicated: it is written through the node only'); END;
CREATE TRIGGER release_file__guard_update BEFORE UPDATE ON release_file WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'release_file is replicated: it is written through the node only'); END;
CREATE TRIGGER release_file__guard_delete BEFORE DELETE ON release_file WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'release_file is replicated: it is written through the node only'); END;
CREATE INDEX app_active__dots ON app_active (scope, _origin, _seq);
CREATE VIEW app_active_live AS SELECT scope, id, release, at FROM app_active WHERE _deleted = 0;
CREATE TRIGGER app_active__guard_insert BEFORE INSERT ON app_active WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'app_active is replicated: it is written through the node only'); END;
CREATE TRIGGER app_active__guard_update BEFORE UPDATE ON app_active WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'app_active is replicated: it is written through the node only'); END;
CREATE TRIGGER app_active__guard_delete BEFORE DELETE ON app_active WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'app_active is replicated: it is written through the node only'); END;
CREATE INDEX release__dots ON release (scope, _origin, _seq);
CREATE VIEW release_live AS SELECT scope, id, node, created_at, files, bytes, spa FROM release WHERE _deleted = 0;
CREATE TRIGGER release__guard_insert BEFORE INSERT ON release WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'release is replicated: it is written through the node only'); END;
CREATE TRIGGER release__guard_update BEFORE UPDATE ON release WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'release is replicated: it is written through the node only'); END;
CREATE TRIGGER release__guard_delete BEFORE DELETE ON release WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'release is replicated: it is written through the node only'); END;
CREATE INDEX fazt_conflict__dots ON fazt_conflict (scope, _origin, _seq);
CREATE VIEW fazt_conflict_live AS SELECT scope, loser, tbl, row_key, winner, loser_hlc, loser_deleted, loser_columns FROM fazt_conflict WHERE _deleted = 0;
CREATE TRIGGER fazt_conflict__guard_insert BEFORE INSERT ON fazt_conflict WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'fazt_conflict is replicated: it is written through the node only'); END;
CREATE TRIGGER fazt_conflict__guard_update BEFORE UPDATE ON fazt_conflict WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'fazt_conflict is replicated: it is written through the node only'); END;
CREATE TRIGGER fazt_conflict__guard_delete BEFORE DELETE ON fazt_conflict WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'fazt_conflict is replicated: it is written through the node only'); END;
CREATE INDEX kv__dots ON kv (scope, _origin, _seq);
CREATE VIEW kv_live AS SELECT scope, name, value, expires_at, generation FROM kv WHERE _deleted = 0;
CREATE TRIGGER kv__guard_insert BEFORE INSERT ON kv WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'kv is replicated: it is written through the node only'); END;
CREATE TRIGGER kv__guard_update BEFORE UPDATE ON kv WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'kv is replicated: it is written through the node only'); END;
CREATE TRIGGER kv__guard_delete BEFORE DELETE ON kv WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'kv is replicated: it is written through the node only'); END;
CREATE INDEX kv_counter__dots ON kv_counter (scope, _origin, _seq);
CREATE VIEW kv_counter_live AS SELECT scope, name, generation, sum(value) AS value FROM kv_counter WHERE _deleted = 0 GROUP BY scope, name, generation;
CREATE TRIGGER kv_counter__guard_insert BEFORE INSERT ON kv_counter WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'kv_counter is replicated: it is written through the node only'); END;
CREATE TRIGGER kv_counter__guard_update BEFORE UPDATE ON kv_counter WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'kv_counter is replicated: it is written through the node only'); END;
CREATE TRIGGER kv_counter__guard_delete BEFORE DELETE ON kv_counter WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'kv_counter is replicated: it is written through the node only'); END;
CREATE INDEX account__dots ON account (scope, _origin, _seq);
CREATE VIEW account_live AS SELECT scope, name, role, salt, hash, iterations FROM account WHERE _deleted = 0;
CREATE TRIGGER account__guard_insert BEFORE INSERT ON account WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'account is replicated: it is written through the node only'); END;
CREATE TRIGGER account__guard_update BEFORE UPDATE ON account WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'account is replicated: it is written through the node only'); END;
CREATE TRIGGER account__guard_delete BEFORE DELETE ON account WHEN fazt_writer() <> 1 BEGIN SELECT RAISE(ABORT, 'account is replicated: it is written through the node only'); END;
COMMIT;

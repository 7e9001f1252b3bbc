-- pg_cron runs SQL inside the server; DETACH ... CONCURRENTLY and a commit for each step cannot be had from there, so
-- it is used as a clock that starts the program. That takes a superuser (or pg_execute_server_program), a server that
-- you may install programs on, and a way in for it without a password (peer, on the server's own socket).
SELECT cron.schedule(
  'look after partitions',
  '17 * * * *',
  $$COPY (SELECT) TO PROGRAM '/opt/schema_kit/bin/schema_kit partitions maintain --url postgresql:///app'$$
);

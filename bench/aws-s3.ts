import { S3StandIn } from '../tests/standin/s3';
import { AwsServer } from '../tests/support/aws-server';

/** A stand-in of S3 in a process of its own, which keeps no body. Prints its URL; ends with its standard input. */
async function main() {
  const server: AwsServer = new AwsServer((request) => {
    const answer = s3.handle(request);
    server.requests.length = 0;
    return answer;
  });
  const s3 = new S3StandIn(process.argv.slice(2), { dropBodies: true });
  process.stdout.write(`${await server.start()}\n`);
  process.stdin.resume().once('end', () => process.exit());
}

main();

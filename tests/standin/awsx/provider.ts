// A stand-in for the plugin of @pulumi/awsx: the children that pulumi/pulumi-awsx makes, by the same names, as far as
// a network without NAT goes. Its children are made by the engine, so they reach the stand-in for AWS.

import { InternetGateway } from '@pulumi/aws/ec2/internetGateway';
import { Route } from '@pulumi/aws/ec2/route';
import { RouteTable } from '@pulumi/aws/ec2/routeTable';
import { RouteTableAssociation } from '@pulumi/aws/ec2/routeTableAssociation';
import { Subnet } from '@pulumi/aws/ec2/subnet';
import { Vpc } from '@pulumi/aws/ec2/vpc';
import { VpcEndpoint } from '@pulumi/aws/ec2/vpcEndpoint';
import { getAvailabilityZones } from '@pulumi/aws/getAvailabilityZones';
import type { VpcArgs } from '@pulumi/awsx/ec2/vpc';
import {
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResource,
  type CustomResourceOptions,
  type Inputs,
  type Output,
  type Unwrap,
} from '@pulumi/pulumi';
import { type ConstructResult, main, type Provider } from '@pulumi/pulumi/provider';

const CIDR = '10.0.0.0/16';

const address = (bits: number) => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
const bitsOf = (cidr: string) =>
  cidr
    .replace(/\/.*/, '')
    .split('.')
    .reduce((bits, byte) => bits * 256 + Number(byte), 0);
const maskOf = (cidr: string) => Number(cidr.split('/')[1]);

/** Blocks for each zone, one after another in the zone's own part of the network. */
function blocks(cidr: string, zones: number, masks: readonly (number | undefined)[]): string[][] {
  const extra = (count: number) => Math.ceil(Math.log2(count));
  const zoneMask = maskOf(cidr) + extra(zones);
  return Array.from({ length: zones }, (_, zone) => {
    let next = bitsOf(cidr) + zone * 2 ** (32 - zoneMask);
    return masks.map((mask = zoneMask + extra(masks.length)) => {
      const size = 2 ** (32 - mask);
      const start = Math.ceil(next / size) * size;
      next = start + size;
      return `${address(start)}/${mask}`;
    });
  });
}

export class Network extends ComponentResource {
  constructor(name: string, inputs: Inputs, options: ComponentResourceOptions) {
    super('awsx:ec2:Vpc', name, inputs, options);
  }

  async make(name: string, args: Unwrap<VpcArgs>) {
    if (args.natGateways?.strategy !== 'None')
      throw new Error(
        `${name}: natGateways.strategy is '${args.natGateways?.strategy ?? 'OnePerAz'}': the stand-in models no NAT, only 'None'`,
      );
    if (args.availabilityZoneNames && args.numberOfAvailabilityZones)
      throw new Error('Only one of [availabilityZoneNames] and [numberOfAvailabilityZones] can be specified');
    const zones = args.availabilityZoneNames ?? (await this.zones(args.numberOfAvailabilityZones ?? 3));
    const cidrBlock = args.cidrBlock ?? CIDR;
    const specs = args.subnetSpecs ?? [
      { type: 'Private' as const, cidrMask: 19 },
      { type: 'Public' as const, cidrMask: 20 },
    ];
    const shared = { Name: name, ...args.tags };
    const { availabilityZoneNames, numberOfAvailabilityZones, natGateways, subnetSpecs, ...rest } = args;
    const { subnetStrategy, subnetNameTagStrategy, vpcEndpointSpecs, vpcEndpointStrategy, ...more } = rest;
    const { availabilityZoneCidrMask, ...vpcArgs } = more;
    const vpc = new Vpc(name, { ...vpcArgs, cidrBlock, tags: shared }, { parent: this });
    const under = (parent: CustomResource): CustomResourceOptions => ({ parent, dependsOn: [parent] });
    const gateway = new InternetGateway(name, { vpcId: vpc.id, tags: shared }, under(vpc));
    const vpcEndpoints = (vpcEndpointSpecs ?? []).map(
      (spec) => new VpcEndpoint(spec.serviceName, { ...spec, vpcId: vpc.id }, under(vpc)),
    );
    const cut = blocks(
      cidrBlock,
      zones.length,
      specs.map(({ cidrMask }) => cidrMask),
    );
    const made = zones.flatMap((zone, z) =>
      specs.flatMap((spec, s) => {
        if (spec.type === 'Unused') return [];
        const child = `${name}-${spec.name ?? spec.type.toLowerCase()}-${z + 1}`;
        const tags = { ...shared, ...spec.tags, Name: child, SubnetType: spec.type };
        const block = spec.cidrBlocks?.[z] ?? cut[z]?.[s];
        const subnet = new Subnet(
          child,
          {
            vpcId: vpc.id,
            availabilityZone: zone,
            mapPublicIpOnLaunch: spec.type === 'Public',
            ...(block && { cidrBlock: block }),
            tags,
          },
          under(vpc),
        );
        const { Name, SubnetType } = tags;
        const table = new RouteTable(
          child,
          { vpcId: vpc.id, tags: { ...shared, Name, SubnetType } },
          under(subnet),
        );
        const association = new RouteTableAssociation(
          child,
          { routeTableId: table.id, subnetId: subnet.id },
          under(table),
        );
        const routes =
          spec.type === 'Public'
            ? [
                new Route(
                  child,
                  { routeTableId: table.id, gatewayId: gateway.id, destinationCidrBlock: '0.0.0.0/0' },
                  under(table),
                ),
              ]
            : [];
        return [{ type: spec.type, subnet, table, association, routes }];
      }),
    );
    const ids = (type: string): Output<string>[] =>
      made.filter((one) => one.type === type).map(({ subnet }) => subnet.id);
    return {
      vpc,
      vpcId: vpc.id,
      internetGateway: gateway,
      vpcEndpoints,
      subnets: made.map(({ subnet }) => subnet),
      routeTables: made.map(({ table }) => table),
      routeTableAssociations: made.map(({ association }) => association),
      routes: made.flatMap(({ routes }) => routes),
      isolatedSubnetIds: ids('Isolated'),
      privateSubnetIds: ids('Private'),
      publicSubnetIds: ids('Public'),
      eips: [],
      natGateways: [],
      subnetLayout: specs,
    };
  }

  private async zones(count: number): Promise<string[]> {
    const { names } = await getAvailabilityZones({}, { parent: this });
    if (names.length < count) throw new Error(`the region has no ${count} availability zones`);
    return names.slice(0, count);
  }
}

const provider: Provider = {
  version: '3.9.0',
  async construct(name, type, inputs, options): Promise<ConstructResult> {
    if (type === 'awsx:ec2:Vpc') {
      const network = new Network(name, inputs, options);
      return { urn: network.urn, state: await network.make(name, await known(inputs)) };
    }
    throw new Error(`the stand-in for awsx does not know ${type}: add it to tests/standin/awsx/provider.ts`);
  },
};

/** The inputs as the program gave them; what is an output in them stays one. */
const known = async <T>(inputs: Inputs) => inputs as T;

export const serve = () => main(provider, process.argv.slice(2));

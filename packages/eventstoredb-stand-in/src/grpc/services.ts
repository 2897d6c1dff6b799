import { Server } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { IGossipServer } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { IServerFeaturesServer } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import type { IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { randomUUID } from 'node:crypto';
import { createAppend } from './append.ts';
import { createBatchAppend } from './batch-append.ts';
import { createDelete, createTombstone } from './delete.ts';
import { createRead } from './read.ts';
import type { ServerState } from './server-state.ts';
import { features, featuresService, gossip, gossipService, shared, streamsService } from './stubs.ts';

/** The version whose behaviour this is. */
const VERSION = '23.10.8';
const LARGEST_MESSAGE = 17 * 1024 * 1024;

const STREAMS = 'event_store.client.streams.streams';
const METHODS: readonly (readonly [service: string, method: string, features: readonly string[]])[] = [
  [STREAMS, 'read', ['position', 'events']],
  [STREAMS, 'append', []],
  [STREAMS, 'delete', []],
  [STREAMS, 'tombstone', []],
  [STREAMS, 'batchappend', ['deadline_duration']],
  ['event_store.client.gossip.gossip', 'read', []],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods', []],
];

const supportedMethods = (): SupportedMethods => {
  const methods = METHODS.map(([service, name, list]) =>
    new features.SupportedMethod()
      .setServiceName(service)
      .setMethodName(name)
      .setFeaturesList([...list]),
  );
  return new features.SupportedMethods().setEventStoreServerVersion(VERSION).setMethodsList(methods);
};

/** One node, which leads. */
const clusterOf = ({ faults, now }: ServerState, instanceId: string): ClusterInfo => {
  const { host, port } = faults.leader;
  const member = new gossip.MemberInfo()
    .setInstanceId(new shared.UUID().setString(instanceId))
    .setTimeStamp(String(BigInt(now()) * 10_000n))
    .setState(gossip.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port));
  return new gossip.ClusterInfo().setMembersList([member]);
};

export const createGrpcServer = (state: ServerState): Server => {
  const instanceId = randomUUID();
  const server = new Server({ 'grpc.max_receive_message_length': LARGEST_MESSAGE });
  const streams: IStreamsServer = {
    read: createRead(state),
    append: createAppend(state),
    batchAppend: createBatchAppend(state),
    delete: createDelete(state),
    tombstone: createTombstone(state),
  };
  const clusterInfo: IGossipServer = {
    read: (_call: ServerUnaryCall<Empty, ClusterInfo>, answer: sendUnaryData<ClusterInfo>) =>
      answer(null, clusterOf(state, instanceId)),
  };
  const serverFeatures: IServerFeaturesServer = {
    getSupportedMethods: (_call: ServerUnaryCall<Empty, SupportedMethods>, answer: sendUnaryData<SupportedMethods>) =>
      answer(null, supportedMethods()),
  };
  server.addService(streamsService.StreamsService, streams);
  server.addService(gossipService.GossipService, clusterInfo);
  server.addService(featuresService.ServerFeaturesService, serverFeatures);
  return server;
};

/** Those who wait until there is room again: one promise for all, since under load it is asked for each stanza. */
export class RoomSeekers {
  private awaited: PromiseWithResolvers<void> | undefined;

  wait(): Promise<void> {
    this.awaited ??= Promise.withResolvers();
    return this.awaited.promise;
  }

  release(): void {
    this.awaited?.resolve();
    this.awaited = undefined;
  }
}

using LightTts.Timbres;

namespace LightTts.Tests.Timbres;

/// <summary>The store's calls for tests whose subject is something else than waiting: fake voices are never waited for long.</summary>
internal static class StoreCalls
{
    public static Timbre? Get(this TimbreStore store, string nameOrId) => store.GetAsync(nameOrId).AsTask().GetAwaiter().GetResult();

    public static IReadOnlyList<TimbreInfo> List(this TimbreStore store) => store.ListAsync().AsTask().GetAwaiter().GetResult();

    public static bool Remove(this TimbreStore store, string nameOrId) => store.RemoveAsync(nameOrId).AsTask().GetAwaiter().GetResult();

    public static bool Pin(this TimbreStore store, string nameOrId) => store.SetPinnedAsync(nameOrId, true).AsTask().GetAwaiter().GetResult();

    public static bool Unpin(this TimbreStore store, string nameOrId) => store.SetPinnedAsync(nameOrId, false).AsTask().GetAwaiter().GetResult();
}

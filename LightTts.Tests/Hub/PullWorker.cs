namespace LightTts.Tests.Hub;

/// <summary>Another process that fetches the same model.</summary>
internal static class PullWorker
{
    public const string Role = "pull";

    /// <summary>Arguments: endpoint, cache. Prints the model's folder.</summary>
    public static int Pull(string[] arguments)
    {
        var options = new ModelHubOptions { Endpoint = new Uri(arguments[0]), CacheFolder = arguments[1], Token = "" };
        Console.WriteLine(TtsModels.PullAsync(FakeModel.Name, options).GetAwaiter().GetResult().Path);
        return 0;
    }
}

namespace LightTts.Samples.Server.Requests;

/// <summary>Ends a request with an answer that is known already.</summary>
internal sealed class RequestFailedException(Failure failure) : Exception(failure.Message)
{
    public Failure Failure { get; } = failure;
}
